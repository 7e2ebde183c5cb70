#include "config/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "net/fd.h"

namespace config {
namespace {

std::unexpected<std::string> cannot_be_read() {
  return std::unexpected(fmt::format("cannot be read: {}", std::strerror(errno)));
}

}  // namespace

std::expected<std::string, std::string> read_file(const std::string& path) {
  // O_NONBLOCK: opening a FIFO that nobody writes to must not hang; regular files do not care.
  const net::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return cannot_be_read();
  struct stat status = {};
  if (::fstat(fd.get(), &status) != 0) return cannot_be_read();
  if (S_ISDIR(status.st_mode)) return std::unexpected("is a directory; expected a file");
  if (!S_ISREG(status.st_mode)) return std::unexpected("is no regular file");

  // Read to the end rather than to st_size: the files of /proc say 0, and a file may grow.
  std::string text;
  for (;;) {
    const auto old_size = text.size();
    if (old_size > max_file_size) {
      return std::unexpected(fmt::format("is larger than {} MiB", max_file_size >> 20));
    }
    text.resize(old_size + 65536);
    const auto count = ::read(fd.get(), text.data() + old_size, text.size() - old_size);
    if (count < 0) return cannot_be_read();
    text.resize(old_size + static_cast<std::size_t>(count));
    if (count == 0) return text;
  }
}

}  // namespace config
