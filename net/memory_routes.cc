#include "net/memory_routes.h"

#include <algorithm>
#include <cerrno>

namespace net {

namespace {

bool same_key(const RouteEntry& a, const RouteEntry& b) {
  return a.table == b.table && a.to == b.to && a.metric == b.metric;
}

bool same_ipv6(const RouteEntry& a, const RouteEntry& b) {
  return same_key(a, b) && a.interface_index == b.interface_index && a.via == b.via;
}

/// May be one of several gateways of one route.
bool may_share(const MemoryRoute& route) { return route.entry.to.address.is_v6() && route.entry.via.has_value(); }

bool share(const MemoryRoute& a, const MemoryRoute& b) {
  return may_share(a) && may_share(b) && same_key(a.entry, b.entry);
}

/// What a request to delete does not name fits any route, but for its scope.
bool fits(const MemoryRoute& route, const RouteEntry& pattern) {
  const RouteEntry& entry = route.entry;
  const bool v4 = pattern.to.address.is_v4();
  return route.protocol == RouteTable::protocol && route.type == MemoryRoute::Type::unicast && entry.to == pattern.to &&
         entry.table == pattern.table && entry.interface_index == pattern.interface_index &&
         (!pattern.via || entry.via == pattern.via) && (pattern.metric == 0 || entry.metric == pattern.metric) &&
         (!v4 || (entry.scope == pattern.scope && (!pattern.source || entry.source == pattern.source)));
}

}  // namespace

int MemoryRoutes::add(const MemoryRoute& route, Place place) {
  const bool v4 = route.entry.to.address.is_v4();
  const auto same = std::ranges::find_if(routes_, [&](const MemoryRoute& other) {
    return v4 ? other.entry == route.entry && other.type == route.type && other.protocol == route.protocol
              : same_ipv6(other.entry, route.entry);
  });
  if (same != routes_.end()) {
    if (same->until) same->until = route.until;
    return EEXIST;
  }
  const auto like =
      std::ranges::find_if(routes_, [&](const auto& other) { return same_key(other.entry, route.entry); });
  if (place == Place::alone && like != routes_.end()) return EEXIST;
  routes_.insert(place == Place::first ? like : routes_.end(), route);
  return 0;
}

int MemoryRoutes::remove(const RouteEntry& pattern) {
  auto found = routes_.end();
  for (auto route = routes_.begin(); route != routes_.end(); ++route) {
    if (!fits(*route, pattern)) continue;
    if (found == routes_.end() || route->entry.metric < found->entry.metric) found = route;
  }
  if (found == routes_.end()) return ESRCH;
  if (!pattern.via && is_shared(*found)) {
    std::erase_if(routes_, [shared = *found](const auto& other) { return share(shared, other); });
  } else {
    routes_.erase(found);
  }
  return 0;
}

bool MemoryRoutes::is_shared(const MemoryRoute& route) const {
  return std::ranges::count_if(routes_, [&](const auto& other) { return share(route, other); }) > 1;
}

const MemoryRoute* MemoryRoutes::find(const Query& query) const {
  if (query.table != 0) return find_in(query, query.table);
  if (query.to.is_v6()) {
    const MemoryRoute* local = find_in(query, local_table);
    return local != nullptr ? local : find_in(query, main_table);
  }
  // The kernel keeps both IPv4 tables as one: the longer prefix comes first, then the local one.
  const MemoryRoute* local = find_in(query, local_table);
  const MemoryRoute* other = find_in(query, main_table);
  if (local == nullptr && other == nullptr) return find_in(query, default_table);
  if (local == nullptr || other == nullptr) return local == nullptr ? other : local;
  return other->entry.to.length > local->entry.to.length ? other : local;
}

const MemoryRoute* MemoryRoutes::find_in(const Query& query, std::uint32_t table) const {
  const MemoryRoute* best = nullptr;
  for (const MemoryRoute& route : routes_) {
    const RouteEntry& entry = route.entry;
    if (entry.table != table || !entry.to.contains(query.to)) continue;
    if (query.interface_index != 0 && entry.interface_index != query.interface_index) continue;
    if (query.to.is_v4() && std::to_underlying(entry.scope) < query.least_scope) continue;
    const bool better = best == nullptr || entry.to.length > best->entry.to.length ||
                        (entry.to.length == best->entry.to.length && entry.metric < best->entry.metric);
    if (better) best = &route;
  }
  return best;
}

}  // namespace net
