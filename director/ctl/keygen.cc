#include "director/ctl/keygen.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "net/fd.h"
#include "net/file.h"

namespace director {

net::Result<> make_key_file(const std::string& path) {
  std::array<unsigned char, 32> random{};
  if (getentropy(random.data(), random.size()) != 0) return net::system_error(errno, "get random numbers");
  std::string line = "1 ";
  for (const auto byte : random) line += fmt::format("{:02x}", byte);
  line += '\n';
  const net::Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return net::system_error(errno, "create " + path);
  int error = net::write_all(fd.get(), line);
  if (error == 0 && fsync(fd.get()) != 0) error = errno;
  if (error == 0) return {};
  unlink(path.c_str());
  return net::system_error(error, "write " + path);
}

}  // namespace director
