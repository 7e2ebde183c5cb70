#include "director/engine/probe_secrets.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "net/utf8.h"
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
                    std::ranges::none_of(value, [](const char& c) { return net::is_control({&c, 1}); });
  if (good) return value;
  return net::failure(path + ": its first line is not the value of a header, such as 'Basic dXNlcjpwYXNz'");
}

/// Calls `with` for each check over HTTP that has a secret, until it fails.
template <class Cluster, class With>
net::Result<> each_secret(Cluster& cluster, With with) {
  const auto look = [&](auto& check) -> net::Result<> {
    auto* http = std::get_if<checkers::Http>(&check.kind);
    return http == nullptr || http->authorization_file.empty() ? net::Result<>() : with(*http);
  };
  for (auto& service : cluster.services) {
    for (auto& check : service.checks) {
      if (auto done = look(check); !done) return done;
    }
  }
  for (auto& router : cluster.virtual_routers) {
    for (auto& tracker : router.trackers) {
      if (!tracker.check) continue;
      if (auto done = look(*tracker.check); !done) return done;
    }
  }
  return {};
}

}  // namespace

net::Result<> read_probe_secrets(config::Cluster& cluster) {
  return each_secret(cluster, [](checkers::Http& http) -> net::Result<> {
    auto value = authorization_in(http.authorization_file);
    if (!value) return std::unexpected(value.error());
    http.authorization = *std::move(value);
    return {};
  });
}

void copy_probe_secrets(config::Cluster& cluster, const config::Cluster& known) {
  std::unordered_map<std::string, std::string> secrets;
  std::ignore = each_secret(known, [&](const checkers::Http& http) -> net::Result<> {
    secrets.emplace(http.authorization_file, http.authorization);
    return {};
  });
  std::ignore = each_secret(cluster, [&](checkers::Http& http) -> net::Result<> {
    if (const auto found = secrets.find(http.authorization_file); found != secrets.end())
      http.authorization = found->second;
    return {};
  });
}

}  // namespace director
