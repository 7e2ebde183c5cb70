#include "director/daemon/runtime.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace director {

namespace {

std::string content(const net::Fd& pid_file) {
  char pid[16] = {};
  const ssize_t got = pread(pid_file.get(), pid, sizeof pid - 1, 0);
  std::string text(pid, got > 0 ? static_cast<std::size_t>(got) : 0);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

net::Result<net::Fd> lock_runtime(const std::filesystem::path& dir) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error == std::errc::permission_denied) {
    return std::unexpected(net::Error{
        .code = error.value(),
        .message =
            fmt::format("create {}: Permission denied; run as root, or choose another directory with --runtime-dir",
                        dir.string())});
  }
  if (error) return net::system_error(error.value(), "create " + dir.string());

  const auto file = dir / "directord.pid";
  net::Fd fd(open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!fd) return net::system_error(errno, "open " + file.string());
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return net::system_error(errno, "lock " + file.string());
    return std::unexpected(net::Error{
        .code = EWOULDBLOCK,
        .message =
            fmt::format("another directord (pid {}) uses {}; stop it, or start this one with its own --runtime-dir and "
                        "--state-dir",
                        content(fd), dir.string())});
  }
  const auto pid = fmt::format("{}\n", getpid());
  fchmod(fd.get(), 0644);  // whatever the umask is: anybody may know it
  if (ftruncate(fd.get(), 0) != 0 || pwrite(fd.get(), pid.data(), pid.size(), 0) < 0) {
    return net::system_error(errno, "write " + file.string());
  }
  return fd;
}

bool holds_runtime(pid_t process, const std::filesystem::path& dir) {
  const net::Fd fd(open((dir / "directord.pid").c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  return fd && content(fd) == std::to_string(process) && flock(fd.get(), LOCK_SH | LOCK_NB) != 0 &&
         errno == EWOULDBLOCK;
}

}  // namespace director
