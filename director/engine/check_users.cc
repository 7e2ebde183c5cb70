#include "director/engine/check_users.h"

#include <algorithm>
#include <utility>

#include "net/check.h"

namespace director {

void CheckUsers::add(const checkers::Key& key, const ServerKey& user) {
  auto& users = users_[key];
  if (users.servers.empty()) changed_.push_back(key);
  users.servers.push_back(user);
}

void CheckUsers::remove(const checkers::Key& key, const ServerKey& user) {
  const auto users = users_.find(key);
  net::check(users != users_.end(), "a check that loses a user has users");
  auto& servers = users->second.servers;
  const auto found = std::ranges::find(servers, user);
  net::check(found != servers.end(), "a server that stops using a check has used it");
  servers.erase(found);
  if (servers.empty()) changed_.push_back(key);
}

void CheckUsers::clear() {
  users_.clear();
  changed_.clear();
}

std::span<const ServerKey> CheckUsers::of(const checkers::Key& key) const {
  const auto users = users_.find(key);
  return users == users_.end() ? std::span<const ServerKey>() : users->second.servers;
}

CheckUsers::Difference CheckUsers::difference() {
  Difference difference;
  for (auto& key : std::exchange(changed_, {})) {
    const auto users = users_.find(key);
    if (users == users_.end()) continue;  // changed twice, and gone
    const bool has_users = !users->second.servers.empty();
    const bool had_users = std::exchange(users->second.known, has_users);
    if (!has_users) users_.erase(users);
    if (has_users == had_users) continue;
    (has_users ? difference.added : difference.gone).push_back(std::move(key));
  }
  return difference;
}

}  // namespace director
