// Fallbacks, and servers on the director itself, that would never get a client.

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "config/rules/validate.h"

namespace config {
namespace {

class FallbackRules {
 public:
  FallbackRules(const Origin& origin, Diagnostics& diagnostics) : origin_(origin), diagnostics_(diagnostics) {}

  void clients_reach_it(const Service& service);
  void panic_leaves_it_a_turn(const Service& service);

 private:
  const Origin& origin_;
  Diagnostics& diagnostics_;
};

/// With nat the kernel drops what comes from another host to be sent to a loopback address, route_localnet or not.
void FallbackRules::clients_reach_it(const Service& service) {
  const auto& listen = service.key.endpoint;
  if (service.forward != ipvs::Forward::nat || listen.address.is_loopback()) return;
  const bool has_mark = service.key.fwmark != 0;
  for (const auto& server : service.servers) {
    if (!server.endpoint.address.is_loopback()) continue;
    if (has_mark && !server.fallback) continue;  // packets with the mark may be this host's own
    const auto path = address_path(service, server);
    const Origin::Path name = {"services", service.name};
    auto listens = name, forwards = name;
    listens.emplace_back(has_mark ? "fwmark" : "listen");
    forwards.emplace_back("forward");
    if (!origin_.valid(path) || !origin_.valid(listens) || !origin_.valid(forwards)) continue;
    const auto instead =
        has_mark ? "a virtual address" : fmt::format("{} with another port", to_string(listen.address));
    diagnostics_.error(
        origin_.place(path),
        fmt::format("{} of service '{}' is on the loopback address {}: with nat the kernel drops clients' packets to "
                    "it; for a server on the director itself use {}, or 'forward: dr'",
                    called(server), service.name, to_string(server.endpoint.address), instead));
  }
}

/// The least number of servers that panic mode keeps in service when all have failed.
std::size_t least_kept(const Service& service) {
  std::vector<std::uint64_t> weights;
  std::uint64_t total = 0;
  for (const auto& server : service.servers) {
    if (server.fallback) continue;
    weights.push_back(server.weight);
    total += server.weight;
  }
  std::ranges::sort(weights);
  std::size_t removed = 0;
  for (std::uint64_t taken = 0; const auto weight : weights) {
    taken += weight;
    if (taken * 100 > total * service.panic) break;
    ++removed;
  }
  return weights.size() - removed;
}

void FallbackRules::panic_leaves_it_a_turn(const Service& service) {
  if (service.panic == 100 || std::ranges::none_of(service.servers, &Server::fallback)) return;
  const auto kept = least_kept(service);
  if (kept == 0 || kept < service.quorum.below) return;
  const Origin::Path whole = {"services", service.name};
  for (const auto* key : {"panic", "fallback", "servers", "quorum"}) {
    auto path = whole;
    path.emplace_back(key);
    if (!origin_.valid(path)) return;
  }
  diagnostics_.warning(
      origin_.name_place({"services", service.name, "fallback"}),
      fmt::format(
          "service '{}': with 'panic: {}', {} {} in service when all have failed, and the fallback is not used; "
          "remove 'panic' or 'fallback'",
          service.name, service.panic, kept == 1 ? "1 server" : fmt::format("{} servers", kept),
          kept == 1 ? "stays" : "stay"));
}

}  // namespace

void validate_fallbacks(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics) {
  FallbackRules rules(origin, diagnostics);
  for (const auto& service : cluster.services) {
    rules.clients_reach_it(service);
    rules.panic_leaves_it_a_turn(service);
  }
}

}  // namespace config
