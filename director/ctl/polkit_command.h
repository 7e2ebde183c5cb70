#pragma once

#include <string>

#include "net/error.h"

namespace director {

/// Writes the rule to a file, mode 0644, in place of one that is there. Errors: it cannot be written; the one before
/// stays.
net::Result<> write_polkit_rule(const std::string& rule, const std::string& file);

/// `directorctl polkit`, for the cluster file `config`; `file` is "-" for standard output. Returns the exit status.
int polkit_command(const std::string& config, const std::string& file);

}  // namespace director
