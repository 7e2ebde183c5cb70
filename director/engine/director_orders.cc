// The operator's side of the director: what is said of a server is kept first, over restarts, and then done.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include <utility>

#include "director/engine/director.h"

namespace director {

RequestResult<std::string> Director::drain(const std::string& service, const std::string& server,
                                           const std::string& reason, std::optional<std::chrono::seconds> within) {
  const auto id = find(service, server);
  if (!id) return std::unexpected(no_server(service, server));
  const std::string name = name_of(*id);
  const auto now = loop_.clock().wall();
  const auto ordered = store_.state().orders.find(name);
  if (ordered != store_.state().orders.end() && ordered->second.drain && reason.empty() && !within &&
      !ordered->second.drain->deadline) {
    return fmt::format("{} is drained already", name);
  }
  change_orders(name, [&](Orders& orders) {
    if (!orders.drain) orders.drain = {.since = now, .reason = reason};
    if (!reason.empty()) orders.drain->reason = reason;
    orders.drain->deadline = within ? std::optional(now + *within) : std::nullopt;
  });
  heed_orders(*id);
  log_.add(events::server_drain(name, reason, within));
  apply();
  if (within && within->count() == 0) return fmt::format("{} is out of the table: its open connections end", name);
  const auto until = within ? fmt::format(" for {} at most", net::to_string(*within)) : "";
  return fmt::format("{} is drained: no new connections, open ones live on{}", name, until);
}

RequestResult<std::string> Director::undrain(const std::string& service, const std::string& server) {
  const auto id = find(service, server);
  const auto name = service + "/" + server;
  const auto ordered = store_.state().orders.find(name);
  const bool drained = ordered != store_.state().orders.end() && ordered->second.drain;
  if (!id && !drained) return std::unexpected(no_server(service, server));
  if (!drained) return fmt::format("{} is not drained", name);
  const bool disabled = ordered->second.drain->deadline && *ordered->second.drain->deadline <= loop_.clock().wall();
  change_orders(name, [](Orders& orders) { orders.drain.reset(); });
  log_.add(events::server_drain_taken_back(name, disabled));
  if (!id) {
    return fmt::format("{} is not {} any more; it is not in the file", name, disabled ? "disabled" : "drained");
  }
  heed_orders(*id);
  apply();
  return fmt::format("{} takes new connections as its health allows", name);
}

std::string Director::none_left(const std::string& service) const {
  const auto found = std::ranges::find(cluster_.services, service, &config::Service::name);
  if (found == cluster_.services.end()) return "";
  const auto& planned = states_[static_cast<std::size_t>(found - cluster_.services.begin())].plan.entry.destinations;
  std::vector<std::string> fallbacks;
  for (const auto& server : found->servers) {
    const auto entry = planned.find({.endpoint = server.endpoint});
    if (entry == planned.end() || entry->second.weight == 0) continue;
    if (!server.fallback) return "";
    fallbacks.push_back(net::to_string(server.endpoint));
  }
  return fmt::format(
      "{} has no server left that takes new connections; {}", service,
      fallbacks.empty() ? "its clients are refused" : fmt::format("fallback {} serves", fmt::join(fallbacks, ", ")));
}

void Director::change_orders(const std::string& name, const std::function<void(Orders&)>& change) {
  store_.update([&](Intents& state) {
    Orders& orders = state.orders[name];
    const auto before = orders;
    change(orders);
    const bool changed = orders != before;
    if (orders == Orders{}) state.orders.erase(name);
    return changed;
  });
}

/// Brings what is known of a server in line with the operator's words.
void Director::heed_orders(ServerId id) {
  const auto found = store_.state().orders.find(name_of(id));
  const Orders orders = found == store_.state().orders.end() ? Orders{} : found->second;
  auto& server = states_[id.service].situation.servers[id.server];
  server.weight = orders.weight ? std::optional(orders.weight->value) : std::nullopt;
  server.order = Order::none;
  if (orders.drain) {
    const bool over = orders.drain->deadline && *orders.drain->deadline <= loop_.clock().wall();
    server.order = over ? Order::out : Order::drain;
  }
  touch(cluster_.services[id.service].key);
}

RequestError Director::no_server(const std::string& service, const std::string& server) const {
  return {.kind = RequestError::Kind::not_found,
          .message = fmt::format("there is no server {}/{} in cluster {}", service, server, cluster_.name)};
}

}  // namespace director
