#include "checkers/probes/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "checkers/probes/agent.h"
#include "net/fd.h"

namespace checkers {

Result read_state_file(const File& spec) {
  const auto doing = fmt::format("file {}", spec.path);
  // Not to wait where somebody put a fifo in its place.
  const net::Fd file(open(spec.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return errno == ENOENT ? passed(doing, "no such file") : could_not_run(doing, std::strerror(errno));
  struct stat about{};
  if (fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode)) return could_not_run(doing, "not a regular file");

  std::array<char, 4096> buffer;
  const auto count = read(file.get(), buffer.data(), buffer.size());
  if (count < 0) return could_not_run(doing, std::strerror(errno));
  if (count == static_cast<ssize_t>(buffer.size())) return could_not_run(doing, "larger than 4 KiB");
  std::string_view text(buffer.data(), static_cast<std::size_t>(count));
  text = text.substr(0, text.find('\n'));
  return text.empty() ? passed(doing, "empty") : judge_advice(doing, text);
}

}  // namespace checkers
