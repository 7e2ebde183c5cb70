#include "director/engine/probe_secrets.h"

#include <fmt/format.h>

#include <algorithm>

#include "vrrp/secrets.h"

namespace director {
namespace {

constexpr std::size_t value_max = 4096;

/// A header's value: one line of visible characters and blanks.
net::Result<std::string> authorization_in(const std::string& path) {
  auto text = vrrp::read_secret(path);
  if (!text) return text;
  auto value = text->substr(0, text->find('\n'));
  if (value.ends_with('\r')) value.pop_back();
  const bool good = !value.empty() && value.size() <= value_max &&
                    std::ranges::none_of(value, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
  if (good) return value;
  return net::failure(path + ": its first line is not the value of a header, such as 'Basic dXNlcjpwYXNz'");
}

net::Result<> read_secret_of(checkers::Spec& check) {
  auto* http = std::get_if<checkers::Http>(&check.kind);
  if (http == nullptr || http->authorization_file.empty()) return {};
  auto value = authorization_in(http->authorization_file);
  if (!value) return std::unexpected(value.error());
  http->authorization = *std::move(value);
  return {};
}

}  // namespace

net::Result<> read_probe_secrets(config::Cluster& cluster) {
  for (auto& service : cluster.services) {
    for (auto& check : service.checks) {
      if (auto read = read_secret_of(check); !read) return read;
    }
  }
  for (auto& router : cluster.virtual_routers) {
    for (auto& tracker : router.trackers) {
      if (!tracker.check) continue;
      if (auto read = read_secret_of(*tracker.check); !read) return read;
    }
  }
  return {};
}

}  // namespace director
