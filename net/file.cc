#include "net/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "net/fd.h"

namespace net {

std::expected<FileText, FileError> read_file(const std::filesystem::path& path, std::size_t most) {
  using enum FileError::Kind;
  const auto fail = [](FileError::Kind kind, int code) {
    return std::unexpected(FileError{.kind = kind, .code = code});
  };
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return fail(system, errno);
  struct stat about{};
  if (::fstat(fd.get(), &about) != 0) return fail(system, errno);
  if (S_ISDIR(about.st_mode)) return fail(directory, EISDIR);
  if (!S_ISREG(about.st_mode)) return fail(not_regular, EINVAL);

  FileText file{.text = {}, .owner = about.st_uid, .mode = about.st_mode & 07777};
  const std::size_t piece = std::min<std::size_t>(most + 1, 65536);
  for (;;) {
    const auto have = file.text.size();
    if (have > most) return fail(too_large, EFBIG);
    file.text.resize(have + piece);
    const auto count = ::read(fd.get(), file.text.data() + have, piece);
    if (count < 0 && errno != EINTR) return fail(system, errno);
    file.text.resize(have + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) return file;
  }
}

int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd writable{.fd = descriptor, .events = POLLOUT, .revents = 0};
      ::poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

Error to_error(const FileError& error, const std::string& doing, std::size_t most) {
  switch (error.kind) {
    case FileError::Kind::system:
      break;
    case FileError::Kind::directory:
    case FileError::Kind::not_regular:
      return {.code = error.code, .message = doing + ": not a regular file"};
    case FileError::Kind::too_large:
      return {.code = error.code, .message = fmt::format("{}: larger than {} KiB", doing, most >> 10)};
  }
  return system_error(error.code, doing).error();
}

std::string program_problem(const std::filesystem::path& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status)) return fmt::format("there is no program {}", path.string());
  constexpr auto executable = fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec;
  const bool can_run = fs::is_regular_file(status) && (status.permissions() & executable) != fs::perms::none;
  return can_run ? "" : fmt::format("{} is not an executable file", path.string());
}

}  // namespace net
