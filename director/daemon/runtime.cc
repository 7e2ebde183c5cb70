#include "director/daemon/runtime.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace director {

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
    char pid[16] = {};
    const ssize_t got = pread(fd.get(), pid, sizeof pid - 1, 0);
    std::string holder(pid, got > 0 ? static_cast<std::size_t>(got) : 0);
    while (!holder.empty() && holder.back() == '\n') holder.pop_back();
    return std::unexpected(net::Error{
        .code = EWOULDBLOCK,
        .message =
            fmt::format("another directord (pid {}) uses {}; stop it, or start this one with its own --runtime-dir and "
                        "--state-dir",
                        holder, dir.string())});
  }
  const auto pid = fmt::format("{}\n", getpid());
  if (ftruncate(fd.get(), 0) != 0 || pwrite(fd.get(), pid.data(), pid.size(), 0) < 0) {
    return net::system_error(errno, "write " + file.string());
  }
  return fd;
}

}  // namespace director
