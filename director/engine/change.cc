#include "director/engine/change.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <unordered_set>

namespace director {
namespace {

using config::Cluster;
using config::Server;
using config::Service;

std::string name_of(const Service& service, const Server& server) { return service.name + "/" + server.name; }

/// Notes key by key how two that are the same thing differ.
void note(Change& change, const char* kind, const std::string& name, const KeyValues& before, const KeyValues& after) {
  for (auto& difference : differences(before, after)) {
    change.details.push_back({.kind = kind, .name = name, .difference = std::move(difference)});
  }
}

void compare_servers(const Service& before, const Service& after, Change& change) {
  std::map<net::Endpoint, const Server*> known;
  for (const auto& server : before.servers) known.emplace(server.endpoint, &server);
  for (const auto& server : after.servers) {
    const auto same = known.extract(server.endpoint);
    if (same.empty()) {
      change.servers.added.push_back(name_of(after, server));
    } else if (*same.mapped() != server) {
      change.servers.changed.push_back(name_of(after, server));
      note(change, "server", name_of(after, server), settings_of(*same.mapped()), settings_of(server));
    }
  }
  for (const auto& server : before.servers) {
    if (!known.contains(server.endpoint)) continue;
    change.servers.removed.push_back(name_of(before, server));
    change.leaving.push_back({before.key, {.endpoint = server.endpoint}});
  }
}

/// Whether they differ in more than their servers.
bool differ(const Service& before, const Service& after) {
  auto other = after;
  other.servers = before.servers;
  return before != other;
}

void compare_services(const Cluster& before, const Cluster& after, Change& change) {
  std::map<ipvs::ServiceKey, const Service*> known;
  for (const auto& service : before.services) known.emplace(service.key, &service);
  for (const auto& service : after.services) {
    const auto same = known.extract(service.key);
    if (same.empty()) {
      change.services.added.push_back(service.name);
      compare_servers({}, service, change);
      continue;
    }
    if (*same.mapped() == service) continue;
    if (differ(*same.mapped(), service)) {
      change.services.changed.push_back(service.name);
      note(change, "service", service.name, settings_of(*same.mapped()), settings_of(service));
    }
    compare_servers(*same.mapped(), service, change);
  }
  for (const auto& service : before.services) {
    if (!known.contains(service.key)) continue;
    change.services.removed.push_back(service.name);
    Service nothing;
    nothing.name = service.name;
    compare_servers(service, nothing, change);
  }
}

void compare_routers(const Cluster& before, const Cluster& after, Change& change) {
  std::map<std::string, const config::VirtualRouter*> known;
  for (const auto& router : before.virtual_routers) known.emplace(router.name, &router);
  for (const auto& router : after.virtual_routers) {
    const auto same = known.extract(router.name);
    if (same.empty()) {
      change.routers.added.push_back(router.name);
    } else if (*same.mapped() != router) {
      change.routers.changed.push_back(router.name);
      note(change, "virtual router", router.name, settings_of(*same.mapped()), settings_of(router));
    }
  }
  for (const auto& [name, router] : known) change.routers.removed.push_back(name);
}

/// What is probed, each once.
using Probes = std::unordered_set<checkers::Key, checkers::KeyHash>;
Probes probes_of(const Cluster& cluster) {
  Probes keys;
  for (const auto& service : cluster.services) {
    for (const auto& server : service.servers) {
      for (const auto& check : service.checks) keys.insert(checkers::make_key(check, server.endpoint));
    }
  }
  return keys;
}

bool too_many(std::size_t removed, std::size_t all, unsigned guard) { return removed * 100 > all * guard; }

std::string counted(const Change::Names& names, std::string_view noun) {
  std::vector<std::string> parts;
  const auto part = [&](const std::vector<std::string>& list, std::string_view what) {
    if (!list.empty()) parts.push_back(fmt::format("{} {}{} {}", list.size(), noun, list.size() == 1 ? "" : "s", what));
  };
  part(names.added, "added");
  part(names.changed, "changed");
  part(names.removed, "removed");
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace

Change compare(const Cluster& before, const Cluster& after) {
  Change change;
  compare_services(before, after, change);
  compare_routers(before, after, change);
  const auto section = [&](const char* name, auto member) {
    if (before.*member == after.*member) return;
    change.sections.emplace_back(name);
    note(change, "section", name, settings_of(before.*member), settings_of(after.*member));
  };
  section("cluster", &Cluster::name);
  section("probe_marks", &Cluster::probe_marks);
  section("nodes", &Cluster::nodes);
  section("groups", &Cluster::groups);
  section("connection_sync", &Cluster::connection_sync);
  section("peers", &Cluster::peers);
  section("stateless_takeover", &Cluster::stateless_takeover);
  section("director", &Cluster::director);
  const auto old_probes = probes_of(before);
  const auto new_probes = probes_of(after);
  for (const auto& key : new_probes) old_probes.contains(key) ? ++change.probes.kept : ++change.probes.added;
  change.probes.removed = old_probes.size() - change.probes.kept;
  return change;
}

std::optional<std::string> guard(const Change& change, const Cluster& before) {
  const unsigned share = before.director.reload_guard;
  std::size_t servers = 0;
  for (const auto& service : before.services) servers += service.servers.size();
  const auto refusal = [&](std::size_t removed, std::size_t all, std::string_view noun) {
    return fmt::format("the file removes {} of {} {}, more than the {}% that reload_guard allows", removed, all, noun,
                       share);
  };
  const auto services_removed = change.services.removed.size();
  if (too_many(services_removed, before.services.size(), share)) {
    return refusal(services_removed, before.services.size(), "services");
  }
  if (too_many(change.servers.removed.size(), servers, share)) {
    return refusal(change.servers.removed.size(), servers, "servers");
  }
  return std::nullopt;
}

std::string to_string(const Change& change) {
  if (change.none()) return "no changes";
  std::vector<std::string> parts;
  for (auto part : {counted(change.services, "service"), counted(change.servers, "server"),
                    counted(change.routers, "virtual router")}) {
    if (!part.empty()) parts.push_back(std::move(part));
  }
  for (const auto& section : change.sections) parts.push_back(section + " changed");
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace director
