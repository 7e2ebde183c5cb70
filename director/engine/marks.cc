#include "director/engine/marks.h"

#include "net/check.h"

namespace director {

namespace {

/// The path of a private service, where it leads to exactly one server.
std::optional<ProbePath> path_of(const ipvs::ServiceKey& key, const ipvs::ServiceEntry& entry) {
  if (entry.destinations.size() != 1) return std::nullopt;
  const auto& [destination, values] = *entry.destinations.begin();
  return ProbePath{.family = key.family(), .server = destination.endpoint.address, .forward = values.forward};
}

}  // namespace

Marks allot_marks(const std::set<ProbePath>& wanted, const ipvs::Table& held, const config::ProbeMarks& range) {
  Marks marks;
  std::set<std::uint32_t> used;  // by what is wanted
  std::set<std::uint32_t> stale;
  for (const auto& [key, entry] : held) {
    if (!is_private(key, range)) continue;
    const auto path = path_of(key, entry);
    if (path && wanted.contains(*path) && !used.contains(key.fwmark) && marks.try_emplace(*path, key.fwmark).second) {
      used.insert(key.fwmark);
    } else {
      stale.insert(key.fwmark);
    }
  }
  auto next = range.first;
  auto reused = stale.begin();
  for (const auto& path : wanted) {
    if (marks.contains(path)) continue;
    while (next <= range.last && next != 0 && (used.contains(next) || stale.contains(next))) ++next;
    if (next != 0 && next <= range.last) {
      marks[path] = next++;
      continue;
    }
    while (reused != stale.end() && used.contains(*reused)) ++reused;
    net::check(reused != stale.end(), "probe_marks has a mark for each server, family and forwarding method");
    marks[path] = *reused++;
  }
  return marks;
}

bool is_private(const ipvs::ServiceKey& key, const config::ProbeMarks& range) {
  return key.fwmark != 0 && range.contains(key.fwmark);
}

ipvs::ServiceKey private_key(const ProbePath& path, std::uint32_t mark) {
  return {.protocol = ipvs::Protocol::none,
          .endpoint = {.address = net::Address::any(path.family), .port = 0},
          .fwmark = mark};
}

ipvs::ServiceEntry private_service(const ProbePath& path) {
  // one_packet: a UDP probe leaves no entry behind that would lead a later one, from the same port, to this server.
  ipvs::ServiceEntry entry{.service = {.scheduler = "rr", .flags = ipvs::flag::one_packet}, .destinations = {}};
  ipvs::Destination destination;
  destination.forward = path.forward;
  entry.destinations[{.endpoint = {.address = path.server, .port = 0}}] = destination;
  return entry;
}

}  // namespace director
