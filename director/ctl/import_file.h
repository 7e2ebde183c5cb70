#pragma once

#include <filesystem>
#include <string_view>

#include "config/import/imported.h"

namespace director {

/// Another tool's file, carried over to a cluster file. `format` is "keepalived", "ldirectord", or "ipvsadm" for rules
/// as `ipvsadm -S` writes them. Errors: the file cannot be read or is none of that format; names the line.
[[nodiscard]] net::Result<config::Imported> import_file(std::string_view format, const std::filesystem::path& file);

}  // namespace director
