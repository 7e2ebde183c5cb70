// Contradictions within the services, among them, and with the virtual addresses.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "config/rules/validate.h"
#include "net/time.h"

namespace config {
namespace {

class ServiceRules {
 public:
  ServiceRules(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics)
      : cluster_(cluster), origin_(origin), diagnostics_(diagnostics) {}

  void keys_are_unique();
  void stateless_takeover_hashes();
  void service(const Service& service);

 private:
  void checks(const Service& service);
  void timeout_is_shorter(const Service& service, std::chrono::milliseconds timeout, std::chrono::milliseconds interval,
                          const Origin::Path& check, const std::string& key);
  void source_has_the_family(const Service& service, const checkers::Spec& check, Origin::Path path);
  void authorization_is_given_once(const Service& service, const checkers::Spec& check, Origin::Path path);
  void target_has_a_port(const Service& service, const checkers::Spec& check);
  void udp_gets_an_answer(const Service& service, const checkers::Spec& check, Origin::Path path);
  void servers(const Service& service);
  [[nodiscard]] bool all_sound(const Service& service, const Origin::Path& endpoint) const;
  void some_server_has_a_weight(const Service& service);
  void thresholds_are_in_order(const Service& service);
  void options_have_their_reason(const Service& service);
  void quorum_can_be_had(const Service& service);
  void address_is_held(const Service& service);
  void answers_come_back(const Service& service);
  [[nodiscard]] bool every_virtual_address_is_sound() const;

  const Cluster& cluster_;
  const Origin& origin_;
  Diagnostics& diagnostics_;
};

Origin::Path key_path(const Service& service) {
  return {"services", service.name, service.key.fwmark != 0 ? "fwmark" : "listen"};
}

std::size_t share_the_load(const Service& service) {
  return static_cast<std::size_t>(std::ranges::count(service.servers, false, &Server::fallback));
}

/// Why a service cannot forward to this endpoint; empty when it can.
std::string mismatch(const Service& service, const net::Endpoint& endpoint) {
  const auto& virtual_end = service.key.endpoint;
  const bool other_port = service.key.fwmark == 0 && endpoint.port != virtual_end.port;
  if (service.forward == ipvs::Forward::tunnel) {
    return other_port ? fmt::format("has port {}, the service {}; 'forward: tunnel' cannot change the port",
                                    endpoint.port, virtual_end.port)
                      : "";
  }
  const bool nat = service.forward == ipvs::Forward::nat;
  if (endpoint.address.family() != virtual_end.address.family()) {
    const bool v6 = endpoint.address.is_v6();
    return fmt::format("is {}, the service {}; {} cannot change the address family, 'forward: tunnel' can",
                       v6 ? "IPv6" : "IPv4", v6 ? "IPv4" : "IPv6", nat ? "nat" : "dr");
  }
  if (endpoint == virtual_end) return "is the virtual address itself";
  if (nat || !other_port) return "";
  return fmt::format("has port {}, the service {}; dr cannot change the port, 'forward: nat' can", endpoint.port,
                     virtual_end.port);
}

// A rule first finds a contradiction and only then checks whether all values in it were read without errors: that
// check is a search in the document.

void ServiceRules::keys_are_unique() {
  std::map<ipvs::ServiceKey, const Service*> holders;
  for (const auto& service : cluster_.services) {
    const auto [first, is_new] = holders.emplace(service.key, &service);
    if (is_new || !origin_.valid(key_path(service))) continue;
    const auto place = origin_.place(key_path(service));
    diagnostics_.error(
        place, fmt::format("service '{}': {} is already used by service '{}' ({})", service.name,
                           to_string(service.key), first->second->name, origin_.line(key_path(*first->second), place)));
  }
}

void ServiceRules::service(const Service& service) {
  diagnostics_.go_on();
  checks(service);
  servers(service);
  some_server_has_a_weight(service);
  thresholds_are_in_order(service);
  options_have_their_reason(service);
  quorum_can_be_had(service);
  address_is_held(service);
  answers_come_back(service);
}

void ServiceRules::checks(const Service& service) {
  for (std::size_t i = 0; i < service.checks.size(); ++i) {
    const auto path = check_path(origin_, service, i);
    const auto& check = service.checks[i];
    timeout_is_shorter(service, check.timeout, check.interval, path, "interval");
    if (check.pending_interval != check.pending_interval.zero()) {
      timeout_is_shorter(service, check.timeout, check.pending_interval, path, "pending_interval");
    }
    source_has_the_family(service, check, path);
    authorization_is_given_once(service, check, path);
    target_has_a_port(service, check);
    udp_gets_an_answer(service, check, path);
  }
}

void ServiceRules::udp_gets_an_answer(const Service& service, const checkers::Spec& check, Origin::Path path) {
  const auto* udp = std::get_if<checkers::Udp>(&check.kind);
  path.emplace_back("udp");
  auto send = path;
  send.emplace_back("send");
  if (udp == nullptr || udp->expect || !origin_.has(path) || !origin_.valid(path)) return;
  if (udp->send.empty() && origin_.has(send)) return;  // it could not be read
  diagnostics_.warning(
      origin_.place(path),
      fmt::format("service '{}': without 'expect', a udp check fails only where the server refuses (ICMP): one that is "
                  "off or silent stays up; set 'send' and 'expect', or use 'dns' or 'exec'",
                  service.name));
}

void ServiceRules::timeout_is_shorter(const Service& service, std::chrono::milliseconds timeout,
                                      std::chrono::milliseconds interval, const Origin::Path& check,
                                      const std::string& key) {
  if (timeout < interval) return;
  auto timeout_path = check, interval_path = check;
  timeout_path.emplace_back("timeout");
  interval_path.emplace_back(key);
  if (!origin_.valid(timeout_path) || !origin_.valid(interval_path)) return;
  diagnostics_.error(origin_.place(origin_.has(timeout_path) ? timeout_path : interval_path),
                     fmt::format("the timeout {} is not shorter than the {} {} in a check of service '{}'",
                                 net::to_string(timeout), key, net::to_string(interval), service.name));
}

void ServiceRules::source_has_the_family(const Service& service, const checkers::Spec& check, Origin::Path path) {
  const auto& source = check.path.source;
  if (!source || check.path.via_vip) return;  // that one goes to the service's address
  path.emplace_back("source");
  for (const auto& server : service.servers) {
    const auto& target = check.address.value_or(server.endpoint.address);
    if (target.family() == source->family()) continue;
    if (!origin_.valid(path) || !origin_.valid(address_path(service, server))) continue;
    return diagnostics_.error(origin_.place(path),
                              fmt::format("source {} and target {} are of different address families",
                                          to_string(*source), to_string(target)));
  }
}

void ServiceRules::authorization_is_given_once(const Service& service, const checkers::Spec& check, Origin::Path path) {
  const auto* http = std::get_if<checkers::Http>(&check.kind);
  if (http == nullptr || http->authorization_file.empty()) return;
  const bool is_header = std::ranges::any_of(http->headers, [](const auto& header) {
    return std::ranges::equal(header.first, std::string_view("authorization"),
                              [](char a, char b) { return (a | 0x20) == b; });
  });
  if (!is_header) return;
  path.insert(path.end(), {http->tls ? "https" : "http", "authorization_file"});
  diagnostics_.error(origin_.place(path),
                     fmt::format("a check of service '{}' has the Authorization header in 'headers' and in "
                                 "'authorization_file'; expected only one of them",
                                 service.name));
}

/// Only a marked service lets its servers be without a port.
void ServiceRules::target_has_a_port(const Service& service, const checkers::Spec& check) {
  const bool needs_port = !std::holds_alternative<checkers::Icmp>(check.kind) &&
                          !std::holds_alternative<checkers::Exec>(check.kind) &&
                          !std::holds_alternative<checkers::File>(check.kind);
  if (!needs_port || check.port != 0 || service.key.fwmark == 0) return;
  for (const auto& server : service.servers) {
    const auto path = address_path(service, server);
    if (server.endpoint.port != 0 || !origin_.valid(path)) continue;
    diagnostics_.error(origin_.place(path), fmt::format("{} of service '{}' has no port to check: a service with "
                                                        "'fwmark' has no port; set one here or in the check",
                                                        called(server), service.name));
  }
}

void ServiceRules::servers(const Service& service) {
  std::map<net::Endpoint, const Server*> holders;
  std::map<std::string_view, const Server*> names;
  for (const auto& each : service.servers) {
    diagnostics_.go_on();
    const auto path = [&] { return address_path(service, each); };
    if (const auto why = mismatch(service, each.endpoint); !why.empty() && all_sound(service, path())) {
      diagnostics_.error(origin_.place(path()), fmt::format("{} of service '{}' {}", called(each), service.name, why));
    }
    const auto [named, new_name] = names.emplace(each.name, &each);
    if (!new_name && named->second->fallback != each.fallback) {
      diagnostics_.error(
          origin_.place(path()),
          fmt::format(
              "a fallback and a server of service '{}' have the same name '{}'; expected a different name for each",
              service.name, each.name));
    }
    const auto [first, is_new] = holders.emplace(each.endpoint, &each);
    if (is_new || !origin_.valid(path())) continue;
    const auto place = origin_.place(path());
    diagnostics_.error(place, fmt::format("{} of service '{}': {} is already used by {} ({})", called(each),
                                          service.name, to_string(each.endpoint), called(*first->second),
                                          origin_.line(address_path(service, *first->second), place)));
  }
}

bool ServiceRules::all_sound(const Service& service, const Origin::Path& endpoint) const {
  return origin_.valid(endpoint) && origin_.valid(key_path(service)) &&
         origin_.valid({"services", service.name, "forward"});
}

void ServiceRules::quorum_can_be_had(const Service& service) {
  const auto& [below, regain] = service.quorum;
  const auto say = [&](const char* key, const std::string& message) {
    const Origin::Path path = {"services", service.name, "quorum", key};
    if (origin_.has(path) && origin_.valid(path)) diagnostics_.error(origin_.place(path), message);
  };
  if (regain < below) {
    say("regain", fmt::format("the quorum of service '{}' is regained with {} servers but lost below {}; expected "
                              "'regain' to be {} or more",
                              service.name, regain, below, below));
  } else if (regain > share_the_load(service) && origin_.valid({"services", service.name, "servers"})) {
    say(regain == below ? "below" : "regain",
        fmt::format("the quorum of service '{}' needs {} servers, but the service has {}", service.name, regain,
                    share_the_load(service)));
  }
}

void ServiceRules::some_server_has_a_weight(const Service& service) {
  const auto takes_part = [](const Server& server) { return server.weight != 0 && !server.fallback; };
  if (std::ranges::any_of(service.servers, takes_part)) return;
  const Origin::Path path = {"services", service.name, "servers"};
  if (!origin_.has(path) || !origin_.valid(path)) return;
  const auto message =
      share_the_load(service) == 0
          ? fmt::format("service '{}' has no servers", service.name)
          : fmt::format("every server of service '{}' has weight 0: the service takes no new connections",
                        service.name);
  diagnostics_.warning(origin_.name_place(path), message);
}

void ServiceRules::thresholds_are_in_order(const Service& service) {
  for (const auto& server : service.servers) {
    if (server.lower_threshold <= server.upper_threshold) continue;
    auto path = address_path(service, server);
    path.back() = "lower_threshold";
    if (!origin_.valid(path)) continue;
    const auto upper = server.upper_threshold == 0
                           ? "has no upper_threshold"
                           : fmt::format("is above the upper_threshold {}", server.upper_threshold);
    diagnostics_.error(origin_.place(path), fmt::format("the lower_threshold {} of {} of service '{}' {}",
                                                        server.lower_threshold, called(server), service.name, upper));
  }
}

/// What only some services can have.
void ServiceRules::options_have_their_reason(const Service& service) {
  const auto& spec = service.spec;
  const auto refuse = [&](Origin::Path rest, std::string_view what) {
    Origin::Path path = {"services", service.name};
    path.insert(path.end(), rest.begin(), rest.end());
    if (!origin_.has(path) || !origin_.valid(path)) return;
    diagnostics_.error(origin_.place(path), fmt::format("service '{}' {}", service.name, what));
  };
  if ((spec.mask_length != 0 || spec.raw_mask) && spec.persistence.count() == 0) {
    refuse({"persistence_mask"}, "has a persistence_mask but no persistence");
  } else if (spec.raw_mask && service.key.endpoint.address.is_v6()) {
    refuse({"persistence_mask"}, "has a persistence_mask of 0, which the kernel has only for IPv4; expected 1 to 128");
  } else if (spec.mask_length > service.key.endpoint.address.bits()) {
    refuse({"persistence_mask"}, fmt::format("has a persistence_mask of {} bits; its addresses have {}",
                                             spec.mask_length, service.key.endpoint.address.bits()));
  }
  if (!spec.persistence_engine.empty() && spec.persistence.count() == 0) {
    refuse({"persistence_engine"}, "has a persistence_engine but no persistence");
  }
  const bool udp = service.key.protocol == ipvs::Protocol::udp || service.key.fwmark != 0;
  if ((spec.flags & ipvs::flag::one_packet) != 0 && !udp) refuse({"one_packet"}, "has 'one_packet', which needs UDP");
  const bool hashes = spec.scheduler == "sh" || spec.scheduler == "mh";
  if ((spec.flags & (ipvs::flag::sched1 | ipvs::flag::sched2)) != 0 && !hashes) {
    refuse({"hash"}, fmt::format("has 'hash', which needs the scheduler sh or mh, not {}", spec.scheduler));
  }
  const auto& tunnel = service.tunnel;
  const bool gue = tunnel.type == ipvs::Tunnel::Type::gue;
  if (tunnel != ipvs::Tunnel{} && service.forward != ipvs::Forward::tunnel) {
    refuse({"tunnel"}, "has 'tunnel' but not 'forward: tunnel'");
  } else if (gue != (tunnel.port != 0)) {
    refuse({"tunnel"}, gue ? "has a gue tunnel without a port" : "has a tunnel port, which only gue supports");
  } else if (tunnel.flags != 0 && tunnel.type == ipvs::Tunnel::Type::ipip) {
    refuse({"tunnel"}, "has a tunnel checksum, which ipip does not support");
  } else if (tunnel.flags == 2 && !gue) {
    refuse({"tunnel"}, "has a remote tunnel checksum, which only gue supports");
  }
}

/// Whether what the virtual routers hold is known: warnings about it would else follow from another mistake.
bool ServiceRules::every_virtual_address_is_sound() const {
  if (!origin_.valid({"vrrp"})) return false;
  for (const auto& router : cluster_.virtual_routers) {
    if (!origin_.valid({"vrrp", router.name, "addresses"})) return false;
    for (std::size_t i = 0; i < router.addresses.size(); ++i) {
      if (!origin_.valid({"vrrp", router.name, "addresses", std::to_string(i)})) return false;
    }
  }
  return true;
}

void ServiceRules::address_is_held(const Service& service) {
  if (cluster_.virtual_routers.empty() || service.key.fwmark != 0) return;
  const auto& address = service.key.endpoint.address;
  for (const auto& router : cluster_.virtual_routers) {
    if (router.has(address)) return;
  }
  if (!origin_.valid(key_path(service)) || !every_virtual_address_is_sound()) return;
  diagnostics_.warning(origin_.place(key_path(service)),
                       fmt::format("no virtual router has {}, the address of service '{}': it does not fail over",
                                   to_string(address), service.name));
}

/// With nat the answers must pass the director, which the servers only do by an address in their own network.
void ServiceRules::answers_come_back(const Service& service) {
  if (cluster_.virtual_routers.empty() || service.forward != ipvs::Forward::nat) return;
  for (const auto& server : service.servers) {
    diagnostics_.go_on();
    const auto holds = [&](const VirtualRouter& router) {
      return std::ranges::any_of(router.addresses,
                                 [&](const auto& own) { return own.prefix.contains(server.endpoint.address); });
    };
    if (std::ranges::any_of(cluster_.virtual_routers, holds)) continue;
    const auto path = address_path(service, server);
    if (!origin_.valid(path) || !origin_.valid({"services", service.name, "forward"}) ||
        !every_virtual_address_is_sound()) {
      continue;
    }
    diagnostics_.warning(origin_.place(path), fmt::format("no virtual address is in the network of {} of service '{}': "
                                                          "with nat, its answers must come back through the master",
                                                          called(server), service.name));
    return;
  }
}

/// Only a hash sends the packets of an unknown connection to the server that has it. UDP needs none.
void ServiceRules::stateless_takeover_hashes() {
  if (!cluster_.stateless_takeover || !origin_.valid({"services"})) return;
  const auto place = origin_.place({"stateless_takeover"});
  const auto line = [&](const Service& service, const char* key) {
    return origin_.line({"services", service.name, key}, place);
  };
  for (const auto& service : cluster_.services) {
    const auto& scheduler = service.spec.scheduler;
    if (service.key.protocol == ipvs::Protocol::udp || !origin_.valid({"services", service.name, "scheduler"}))
      continue;
    if (scheduler != "mh" && scheduler != "sh") {
      return diagnostics_.error(place, fmt::format("'stateless_takeover' needs a scheduler that hashes, but service "
                                                   "'{}' ({}) has the scheduler {}; expected mh or sh",
                                                   service.name, line(service, "scheduler"), scheduler));
    }
    if (service.forward == ipvs::Forward::nat && origin_.valid({"services", service.name, "forward"})) {
      diagnostics_.warning(
          place, fmt::format("service '{}' ({}) has 'forward: nat': after a takeover, answers are translated only once "
                             "the client has sent a packet, so connections on which only the server sends are lost",
                             service.name, line(service, "forward")));
    }
  }
}

}  // namespace

void validate_services(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics) {
  ServiceRules rules(cluster, origin, diagnostics);
  rules.keys_are_unique();
  rules.stateless_takeover_hashes();
  for (const auto& service : cluster.services) rules.service(service);
}

}  // namespace config
