#include "net/sysctls.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "net/fd.h"

namespace net {

Result<std::string> Sysctls::read(const std::string& name) const {
  const auto fail = [&] { return system_error(errno, fmt::format("read the setting {}", name)); };
  const Fd file(open((root_ / name).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail();
  std::array<char, 256> buffer;
  const auto count = ::read(file.get(), buffer.data(), buffer.size());
  if (count < 0) return fail();
  std::string text(buffer.data(), static_cast<std::size_t>(count));
  text.erase(text.find_last_not_of(" \n") + 1);
  return text;
}

Result<> Sysctls::set(const std::string& name, const std::string& value) {
  const auto before = read(name);
  if (!before) return std::unexpected(before.error());
  if (*before == value) return {};
  if (auto written = write(name, value); !written) return written;
  changes_.try_emplace(name, Change{.before = *before, .ours = {}}).first->second.ours = value;
  return {};
}

void Sysctls::restore() {
  for (const auto& [name, change] : changes_) {
    // What cannot be put back is as good as left: its interface is gone, or may no longer be written to.
    if (const auto now = read(name); now && *now == change.ours) (void)write(name, change.before);
  }
  changes_.clear();
}

Result<> Sysctls::write(const std::string& name, const std::string& value) const {
  const auto fail = [&] { return system_error(errno, fmt::format("set {} to {}", name, value)); };
  const Fd file(open((root_ / name).c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (!file || ::write(file.get(), value.data(), value.size()) < 0) return fail();
  return {};
}

}  // namespace net
