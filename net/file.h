#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

#include "net/error.h"

namespace net {

struct FileText {
  std::string text;
  uid_t owner = 0;
  mode_t mode = 0;  ///< the permission bits alone
};

/// Why a file could not be read.
struct FileError {
  enum class Kind : std::uint8_t { system, directory, not_regular, too_large };
  Kind kind = Kind::system;
  int code = 0;  ///< the errno; EISDIR, EINVAL and EFBIG of the other kinds
};

/// Reads a regular file to its end, of at most `most` bytes: those of /proc too, which say that they have none. Never
/// waits for somebody to write into a FIFO.
[[nodiscard]] std::expected<FileText, FileError> read_file(const std::filesystem::path& path, std::size_t most);

/// Writes all of `text`, and waits for as long as that takes, also where others have made the descriptor non-blocking.
/// An errno, or 0.
[[nodiscard]] int write_all(int descriptor, std::string_view text);

/// The error of read_file() as a sentence: "DOING: No such file or directory", "DOING: not a regular file", "DOING:
/// larger than 64 KiB".
[[nodiscard]] Error to_error(const FileError& error, const std::string& doing, std::size_t most);

/// Why a file cannot be run as a program: "there is no program /opt/check", "/opt/check is not an executable file"; ""
/// if it can. Whether its interpreter is there is not looked at.
[[nodiscard]] std::string program_problem(const std::filesystem::path& path);

}  // namespace net
