#include "vrrp/secrets.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <ranges>

#include "net/file.h"

namespace vrrp {

namespace {

constexpr std::size_t secret_min = 16;
constexpr std::size_t password_max = 8;
constexpr std::size_t file_max = 64 * 1024;

}  // namespace

net::Result<std::string> read_secret(const std::filesystem::path& path) {
  const auto doing = "read the secret " + path.string();
  auto file = net::read_file(path, file_max);
  if (!file) return std::unexpected(net::to_error(file.error(), doing, file_max));
  if (file->owner != 0 && file->owner != ::geteuid()) {
    return net::failure(doing + ": another user owns it; expected root or the user of directord");
  }
  if ((file->mode & 077) != 0) {
    return net::failure(
        fmt::format("{}: its mode is {:04o}, which gives others access; expected 0600 or 0400", doing, file->mode));
  }
  return std::move(file->text);
}

net::Result<std::vector<Key>> parse_keys(std::string_view text) {
  std::vector<Key> keys;
  int number = 0;
  for (const auto part : std::views::split(text, '\n')) {
    const std::string_view line(part.begin(), part.end());
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    const auto blank = line.find(' ');
    std::uint8_t id = 0;
    const auto number_of_key = line.substr(0, blank);
    const char* begin = std::to_address(number_of_key.begin());
    const char* end = begin + number_of_key.size();
    const auto [stop, error] = std::from_chars(begin, end, id);
    if (blank == std::string_view::npos || error != std::errc{} || stop != end) {
      return net::failure(fmt::format("line {}: expected an id from 0 to 255, a space, and a secret", number));
    }
    const auto secret = line.substr(blank + 1);
    if (secret.size() < secret_min) {
      return net::failure(fmt::format("line {}: the secret is shorter than {} characters", number, secret_min));
    }
    if (std::ranges::find(keys, id, &Key::id) != keys.end()) {
      return net::failure(fmt::format("line {}: the key id {} occurs twice", number, id));
    }
    keys.push_back({.id = id, .secret = std::string(secret)});
  }
  if (keys.empty()) return net::failure("it contains no key");
  return keys;
}

net::Result<std::string> parse_password(std::string_view text) {
  const auto line = text.substr(0, text.find('\n'));
  if (line.empty() || line.size() > password_max) {
    return net::failure(fmt::format("expected a password of 1 to {} characters on the first line", password_max));
  }
  return std::string(line);
}

}  // namespace vrrp
