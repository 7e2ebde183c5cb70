#include "director/engine/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "net/time.h"

namespace director {
namespace {

std::string text(bool value) { return value ? "true" : "false"; }

std::string or_none(std::uint32_t value) { return value == 0 ? "" : fmt::format("{}", value); }

std::string text(vrrp::SigningMode mode) {
  switch (mode) {
    case vrrp::SigningMode::enforce:
      return "enforce";
    case vrrp::SigningMode::permissive:
      return "permissive";
    case vrrp::SigningMode::receive_only:
      return "receive-only";
  }
  return "?";
}

std::string text(ipvs::Tunnel::Type type) {
  switch (type) {
    case ipvs::Tunnel::Type::ipip:
      return "ipip";
    case ipvs::Tunnel::Type::gue:
      return "gue";
    case ipvs::Tunnel::Type::gre:
      return "gre";
  }
  return "?";
}

std::string text(const config::Preempt& preempt) {
  if (!preempt.allowed.value_or(true)) return "false";
  return preempt.after ? net::to_string(*preempt.after) : "true";
}

std::string text(const vrrp::VirtualAddress& address) {
  std::string all = net::to_string(address.prefix);
  if (!address.label.empty()) all += " label " + address.label;
  if (address.scope) all += fmt::format(" scope {}", net::to_string(*address.scope));
  return all;
}

std::string text(const config::VirtualRoute& route) {
  std::string all = vrrp::to_string(route.route);
  for (const auto& [node, interface] : route.interfaces) all += fmt::format(" dev {} on {}", interface, node);
  return all;
}

/// The values of a list in one text.
template <class List>
std::string joined(const List& list) {
  std::vector<std::string> texts;
  for (const auto& item : list) texts.push_back(text(item));
  return fmt::format("{}", fmt::join(texts, ", "));
}

void add_tracker(KeyValues& settings, const config::Tracker& tracker) {
  const std::string key = "track." + tracker.name;
  settings.push_back({key, tracker.check ? "check" : "link"});
  settings.push_back({key + ".link", tracker.link});
  if (tracker.check) add_check(settings, key + ".check", *tracker.check);
  settings.push_back({key + ".lower", or_none(tracker.lower)});
}

/// Whether `key` is one inside of `outer`.
bool inside(const std::string& key, const std::string& outer) { return key.starts_with(outer + "."); }

const KeyValue* find(const KeyValues& settings, const std::string& key) {
  const auto found = std::ranges::find(settings, key, &KeyValue::key);
  return found == settings.end() ? nullptr : &*found;
}

/// As a prefix length where it is one.
std::string mask_of(const ipvs::Service& service) {
  if (!service.raw_mask) return or_none(service.mask_length);
  return *service.raw_mask == 0 ? "0" : fmt::format("{:#010x}", *service.raw_mask);
}

}  // namespace

KeyValues settings_of(const config::Server& server) {
  return {{"name", server.name},
          {"weight", fmt::format("{}", server.weight)},
          {"upper_threshold", or_none(server.upper_threshold)},
          {"lower_threshold", or_none(server.lower_threshold)},
          {"fallback", text(server.fallback)}};
}

KeyValues settings_of(const config::Service& service) {
  const auto& spec = service.spec;
  const auto flag = [&](std::uint32_t bit) { return text((spec.flags & bit) != 0); };
  KeyValues all{{"name", service.name},
                {"scheduler", spec.scheduler},
                {"forward", std::string(ipvs::to_string(service.forward))},
                {"persistence", spec.persistence.count() == 0 ? "" : net::to_string(spec.persistence)},
                {"persistence_mask", mask_of(spec)},
                {"persistence_engine", spec.persistence_engine},
                {"one_packet", flag(ipvs::flag::one_packet)},
                {"hash.port", flag(ipvs::flag::sched2)},
                {"hash.fallback", flag(ipvs::flag::sched1)},
                {"tunnel.type", text(service.tunnel.type)},
                {"tunnel.port", or_none(service.tunnel.port)},
                {"tunnel.checksum", service.tunnel.flags == 0   ? "none"
                                    : service.tunnel.flags == 1 ? "full"
                                                                : "remote"}};
  for (std::size_t i = 0; i < service.checks.size(); ++i) {
    add_check(all, i == 0 ? "check" : fmt::format("check {}", i + 1), service.checks[i]);
  }
  const KeyValues rest{{"combine", service.combine == checkers::Combine::all ? "all" : "any"},
                       {"on_failure", service.on_failure == config::OnFailure::drain ? "drain" : "remove"},
                       {"quorum.below", fmt::format("{}", service.quorum.below)},
                       {"quorum.regain", fmt::format("{}", service.quorum.regain)},
                       {"panic", fmt::format("{}", service.panic)},
                       {"slow_start", net::to_string(service.slow_start)},
                       {"drain_time", net::to_string(service.drain_time)}};
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

KeyValues settings_of(const config::VirtualRouter& router) {
  KeyValues all{{"router_id", fmt::format("{}", router.router_id)}};
  add_interfaces(all, "interface", router.interfaces);
  for (const auto& [node, priority] : router.priorities)
    all.push_back({fmt::format("priority.{}", node), fmt::format("{}", priority)});
  const KeyValues rest{{"addresses", joined(router.addresses)},
                       {"routes", joined(router.routes)},
                       {"mac", router.virtual_mac ? "virtual" : "interface"},
                       {"advertise", net::to_string(router.advertise)},
                       {"preempt", text(router.preempt)},
                       {"ready_within", net::to_string(router.ready_within)},
                       {"unicast", text(router.unicast)},
                       {"checksum", !router.checksum                              ? "auto"
                                    : *router.checksum == vrrp::Checksum::rfc9568 ? "rfc9568"
                                                                                  : "rfc5798"},
                       {"version", fmt::format("{}", router.version)},
                       {"password_file", router.password_file},
                       {"authentication.keys", router.authentication ? router.authentication->keys : ""},
                       {"authentication.mode", router.authentication ? text(router.authentication->mode) : ""},
                       {"give_up_when", fmt::format("{}", fmt::join(router.give_up_when, ", "))}};
  all.insert(all.end(), rest.begin(), rest.end());
  for (const auto& tracker : router.trackers) add_tracker(all, tracker);
  for (const auto& resource : router.resources) {
    all.push_back({fmt::format("resources.{}", resource.unit),
                   fmt::format("start_limit {}, stop_limit {}, restarts {}", net::to_string(resource.start_limit),
                               net::to_string(resource.stop_limit), resource.restarts)});
  }
  return all;
}

KeyValues settings_of(const std::vector<config::Node>& nodes) {
  KeyValues all;
  for (const auto& node : nodes) {
    all.push_back({node.name + ".address", net::to_string(node.address)});
    all.push_back({node.name + ".priority", fmt::format("{}", node.priority)});
  }
  return all;
}

KeyValues settings_of(const std::vector<std::vector<std::string>>& groups) {
  std::vector<std::string> texts;
  for (const auto& group : groups) texts.push_back(fmt::format("[{}]", fmt::join(group, ", ")));
  return {{"", fmt::format("{}", fmt::join(texts, ", "))}};
}

KeyValues settings_of(const std::optional<config::ConnectionSync>& sync) {
  if (!sync) return {};
  KeyValues all;
  add_interfaces(all, "interface", sync->interfaces);
  all.push_back({"id", fmt::format("{}", sync->id)});
  return all;
}

KeyValues settings_of(const config::Director& director) {
  return {{"ownership", director.ownership == config::Director::Ownership::named ? "named" : "exclusive"},
          {"on_stop", director.on_stop == config::Director::OnStop::keep ? "keep" : "clear"},
          {"reload_guard", fmt::format("{}", director.reload_guard)},
          {"operators", director.operators},
          {"readers", director.readers}};
}

KeyValues settings_of(const config::Peers& peers) {
  return {{"keys", peers.keys}, {"port", std::to_string(peers.port)}};
}

KeyValues settings_of(const config::ProbeMarks& marks) {
  return {{"first", fmt::format("{}", marks.first)}, {"last", fmt::format("{}", marks.last)}};
}

KeyValues settings_of(bool value) { return {{"", text(value)}}; }

KeyValues settings_of(const std::string& value) { return {{"", value}}; }

void add_interfaces(KeyValues& settings, const std::string& key, const std::map<std::string, std::string>& interfaces) {
  std::set<std::string> names;
  for (const auto& [node, interface] : interfaces) names.insert(interface);
  if (names.size() == 1) return settings.push_back({key, *names.begin()});
  for (const auto& [node, interface] : interfaces) settings.push_back({fmt::format("{}.{}", key, node), interface});
}

std::vector<Difference> differences(const KeyValues& before, const KeyValues& after) {
  std::vector<Difference> all;
  std::vector<std::string> covered;  // keys whose nested keys say nothing more
  const auto compare = [&](const KeyValue& setting) {
    const auto* old = find(before, setting.key);
    const auto* now = find(after, setting.key);
    const std::string from = old == nullptr ? "" : old->value, to = now == nullptr ? "" : now->value;
    if (from == to || std::ranges::any_of(covered, [&](const auto& key) { return inside(setting.key, key); })) return;
    if (from.empty() || to.empty()) covered.push_back(setting.key);
    covered.insert(covered.end(),
                   {setting.key + "." + from, setting.key + "." + to});  // a probe's kind and its own keys
    const auto shown = [&](const std::string& value, const char* secret) {
      return value.empty() ? "none" : setting.secret ? secret : value;
    };
    all.push_back({setting.key, shown(from, "a secret"), shown(to, "another secret")});
  };
  for (const auto& setting : after) compare(setting);
  for (const auto& setting : before) {
    if (find(after, setting.key) == nullptr) compare(setting);
  }
  return all;
}

}  // namespace director
