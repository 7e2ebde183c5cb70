#include "net/sysctls.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include "net/fd.h"

namespace net {

Sysctls::Sysctls(std::filesystem::path root, std::filesystem::path memory)
    : root_(std::move(root)), memory_(std::move(memory)) {
  recall();
}

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
  const auto known = changes_;  // should the kernel refuse the value
  changes_.try_emplace(name, Change{.before = *before, .ours = {}}).first->second.ours = value;
  remember();  // first: who dies in between has changed nothing, and the next life sees that
  auto written = write(name, value);
  if (written) return {};
  changes_ = known;
  remember();
  return written;
}

void Sysctls::restore() {
  for (const auto& [name, change] : changes_) put_back(name, change);
  changes_.clear();
  remember();
}

void Sysctls::restore(const std::string& name) {
  const auto change = changes_.find(name);
  if (change == changes_.end()) return;
  put_back(name, change->second);
  changes_.erase(change);
  remember();
}

/// What cannot be put back is as good as left: its interface is gone, or may no longer be written to.
void Sysctls::put_back(const std::string& name, const Change& change) const {
  if (const auto now = read(name); now && *now == change.ours) (void)write(name, change.before);
}

/// Three lines a setting: its name, what was there, and what was put there.
void Sysctls::remember() const {
  if (memory_.empty()) return;
  std::error_code ignored;
  if (changes_.empty()) {
    std::filesystem::remove(memory_, ignored);
    return;
  }
  auto next = memory_;
  next += ".new";
  std::ofstream file(next, std::ios::trunc);
  for (const auto& [name, change] : changes_) file << name << '\n' << change.before << '\n' << change.ours << '\n';
  if (file << std::flush) std::filesystem::rename(next, memory_, ignored);
}

void Sysctls::recall() {
  if (memory_.empty()) return;
  std::ifstream file(memory_);
  constexpr int most = 10'000;
  std::string name, before, ours;
  for (int i = 0; i < most && std::getline(file, name) && std::getline(file, before) && std::getline(file, ours); ++i) {
    if (!name.starts_with("net/") || name.contains("..")) continue;  // none of ours
    if (const auto now = read(name); now && *now == ours) changes_[name] = {.before = before, .ours = ours};
  }
}

Result<> Sysctls::write(const std::string& name, const std::string& value) const {
  const auto fail = [&] { return system_error(errno, fmt::format("set {} to {}", name, value)); };
  const Fd file(open((root_ / name).c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (!file || ::write(file.get(), value.data(), value.size()) < 0) return fail();
  return {};
}

}  // namespace net
