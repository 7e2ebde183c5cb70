#pragma once

#include <string>

#include "net/error.h"

namespace director {

/// Makes a file with one random key of 256 bits, mode 0600, as `peers` and `authentication` take it. Errors: it exists
/// already, or cannot be written; nothing is left.
net::Result<> make_key_file(const std::string& path);

}  // namespace director
