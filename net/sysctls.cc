#include "net/sysctls.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <system_error>
#include <utility>

#include "net/host.h"

namespace net {

Sysctls::Sysctls(Host& host, std::filesystem::path saved_file) : host_(host), saved_file_(std::move(saved_file)) {
  load();
}

Result<std::string> Sysctls::read(const std::string& name) const { return host_.read_setting(name); }

Result<int> Sysctls::in_force(const std::string& interface, const std::string& name) const {
  const auto all = read(fmt::format("net/ipv4/conf/all/{}", name));
  if (!all) return std::unexpected(all.error());
  const auto own = read(fmt::format("net/ipv4/conf/{}/{}", interface, name));
  if (!own) return std::unexpected(own.error());
  return net::in_force(*all, *own);
}

Result<> Sysctls::set(const std::string& name, const std::string& value) {
  const auto before = read(name);
  if (!before) return std::unexpected(before.error());
  if (*before == value) return {};
  const auto known = changes_;  // should the kernel refuse the value
  changes_.try_emplace(name, Saved{.before = *before, .ours = {}}).first->second.ours = value;
  save();  // first: who dies in between has changed nothing, and the next process sees that
  auto written = host_.write_setting(name, value);
  if (written) return {};
  changes_ = known;
  save();
  return written;
}

void Sysctls::restore() {
  for (const auto& [name, change] : changes_) put_back(name, change);
  changes_.clear();
  save();
}

void Sysctls::restore(const std::string& name) {
  const auto change = changes_.find(name);
  if (change == changes_.end()) return;
  put_back(name, change->second);
  changes_.erase(change);
  save();
}

/// What cannot be put back is as good as left: its interface is gone, or may no longer be written to.
void Sysctls::put_back(const std::string& name, const Saved& change) const {
  if (const auto now = read(name); now && *now == change.ours) (void)host_.write_setting(name, change.before);
}

/// Three lines a setting: its name, what was there, and what was put there.
void Sysctls::save() const {
  if (saved_file_.empty()) return;
  std::error_code ignored;
  if (changes_.empty()) {
    std::filesystem::remove(saved_file_, ignored);
    return;
  }
  auto next = saved_file_;
  next += ".new";
  std::ofstream file(next, std::ios::trunc);
  for (const auto& [name, change] : changes_) file << name << '\n' << change.before << '\n' << change.ours << '\n';
  if (file << std::flush) std::filesystem::rename(next, saved_file_, ignored);
}

void Sysctls::load() {
  if (saved_file_.empty()) return;
  std::ifstream file(saved_file_);
  constexpr int most = 10'000;
  std::string name, before, ours;
  for (int i = 0; i < most && std::getline(file, name) && std::getline(file, before) && std::getline(file, ours); ++i) {
    if (!name.starts_with("net/") || name.contains("..")) continue;  // none of ours
    if (const auto now = read(name); now && *now == ours) changes_[name] = {.before = before, .ours = ours};
  }
}

int in_force(std::string_view all, std::string_view own) {
  const auto number = [](std::string_view text) {
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  return std::max(number(all), number(own));
}

}  // namespace net
