#include "director/vrrp_status.h"

#include <nlohmann/json.hpp>

#include "vrrp/virtual_mac.h"

namespace director {
namespace {

using nlohmann::ordered_json;

std::int64_t milliseconds(net::Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

std::int64_t seconds(net::Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

ordered_json names(const std::vector<net::Prefix>& prefixes) {
  ordered_json list = ordered_json::array();
  for (const auto& prefix : prefixes) list.push_back(net::to_string(prefix));
  return list;
}

ordered_json names(const std::vector<vrrp::VirtualAddress>& addresses) {
  std::vector<net::Prefix> prefixes;
  for (const auto& address : addresses) prefixes.push_back(address.prefix);
  return names(prefixes);
}

ordered_json texts(const std::vector<vrrp::VirtualRoute>& routes) {
  ordered_json list = ordered_json::array();
  for (const auto& route : routes) list.push_back(vrrp::to_string(route));
  return list;
}

ordered_json counters(const vrrp::Counters& adverts) {
  ordered_json refused = ordered_json::object();
  for (std::size_t i = 0; i < adverts.refused.size(); ++i) {
    if (adverts.refused[i] != 0) refused[vrrp::to_string(static_cast<vrrp::Refusal>(i))] = adverts.refused[i];
  }
  return {{"sent", adverts.sent},          {"send_errors", adverts.send_errors},
          {"received", adverts.received},  {"other_address_list", adverts.other_address_list},
          {"refused", std::move(refused)}, {"dropped", adverts.dropped}};
}

}  // namespace

ordered_json vrrp_status(const vrrp::Status& router, net::Instant now) {
  ordered_json peers = ordered_json::array();
  for (const auto& peer : router.peers) {
    peers.push_back({{"address", net::to_string(peer.address)},
                     {"priority", peer.priority},
                     {"heard_seconds", seconds(now - peer.heard)},
                     {"heard_ms", milliseconds(now - peer.heard)}});
  }
  ordered_json status{{"name", router.spec.name},
                      {"state", vrrp::to_string(router.state)},
                      {"since_seconds", seconds(now - router.since)},
                      {"reason", router.reason},
                      {"priority", router.priority},
                      {"router_id", router.spec.router_id},
                      {"interface", router.spec.interface},
                      {"advertise_ms", router.spec.advertise.count()},
                      {"addresses", names(router.spec.addresses)},
                      {"held", names(router.held)},
                      {"routes", texts(router.spec.routes)},
                      {"peers", std::move(peers)},
                      {"adverts", counters(router.adverts)}};
  if (router.spec.virtual_mac) {
    status["holder"] = router.spec.holder();
    status["mac"] = vrrp::to_string(vrrp::virtual_mac(router.spec.family(), router.spec.router_id));
  }
  if (!router.problem.empty()) status["problem"] = router.problem;
  if (!router.waits.empty()) status["waits"] = router.waits;
  if (router.source) status["source"] = net::to_string(*router.source);
  if (router.lease_end) status["lease_left_ms"] = milliseconds(*router.lease_end - now);
  if (router.next_timer) status["next_timer_ms"] = milliseconds(*router.next_timer - now);
  return status;
}

}  // namespace director
