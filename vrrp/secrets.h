#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "net/error.h"
#include "vrrp/spec.h"

/// Files with secrets: keys and passwords.
namespace vrrp {

/// The text of a regular file of 64 KiB at most that belongs to root or to us and that nobody else can read. Errors say
/// what is wrong with it.
net::Result<std::string> read_secret(const std::filesystem::path& path);

/// Keys, one a line: an id from 0 to 255, a space, and 16 characters or more. The first signs; all are accepted. Empty
/// lines and lines that begin with '#' are skipped. Errors name the line and never show what is in it.
net::Result<std::vector<Key>> parse_keys(std::string_view text);

/// RFC 3768's simple text password: the first line, 1 to 8 characters.
net::Result<std::string> parse_password(std::string_view text);

}  // namespace vrrp
