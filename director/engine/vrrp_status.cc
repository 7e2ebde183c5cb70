#include "director/engine/vrrp_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

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

ordered_json texts(const std::vector<net::Prefix>& prefixes) {
  ordered_json list = ordered_json::array();
  for (const auto& prefix : prefixes) list.push_back(net::to_string(prefix));
  return list;
}

ordered_json texts(const std::vector<vrrp::VirtualAddress>& addresses) {
  std::vector<net::Prefix> prefixes;
  for (const auto& address : addresses) prefixes.push_back(address.prefix);
  return texts(prefixes);
}

ordered_json texts(const std::vector<vrrp::VirtualRoute>& routes) {
  ordered_json list = ordered_json::array();
  for (const auto& route : routes) list.push_back(vrrp::to_string(route));
  return list;
}

ordered_json counters(const vrrp::Counters& adverts) {
  ordered_json refused = ordered_json::object();
  for (std::size_t i = 0; i < adverts.rejected.size(); ++i) {
    if (adverts.rejected[i] != 0) refused[vrrp::to_string(static_cast<vrrp::RejectReason>(i))] = adverts.rejected[i];
  }
  return {{"sent", adverts.sent},          {"send_errors", adverts.send_errors},
          {"received", adverts.received},  {"other_address_list", adverts.other_address_list},
          {"refused", std::move(refused)}, {"dropped", adverts.dropped}};
}

/// For how long after it was heard a refused advert is a problem.
net::Duration while_it_matters(const vrrp::Status& router) {
  return std::max<net::Duration>(std::chrono::seconds(10), 4 * router.spec.advertise);
}

/// What to do about adverts that are refused.
std::string_view remedy(vrrp::RejectReason reason) {
  switch (reason) {
    case vrrp::RejectReason::signature:
      return "give all nodes the same file of keys ('authentication: keys')";
    case vrrp::RejectReason::not_signed:
      return "sign on all nodes, or set 'mode: permissive' here until they do";
    case vrrp::RejectReason::replay:
      return "let IP protocol 112 pass between the nodes' own addresses; beside version 0.1.0, set the clocks";
    case vrrp::RejectReason::password:
      return "give all nodes the same password ('password_file')";
    case vrrp::RejectReason::version:
      return "give all nodes the same 'version'";
    case vrrp::RejectReason::interval:
      return "give all nodes the same 'advertise'";
    case vrrp::RejectReason::ttl:
      return "connect the nodes of a virtual router to one link, without a router between them";
    case vrrp::RejectReason::source:
      return "set each node's 'address' to the one that it sends from";
    case vrrp::RejectReason::destination:
      return "set 'unicast' on all nodes or on none";
    case vrrp::RejectReason::vrid_conflict:
      return "give one of the two virtual routers another 'router_id', or sign";
    default:
      return "find out what sends them";
  }
}

}  // namespace

std::vector<std::string> vrrp_problems(const vrrp::Status& router, const NodeNames& names, net::Instant now) {
  std::vector<std::string> problems;
  const auto add = [&](const std::string& text) { problems.push_back("vrrp " + router.spec.name + ": " + text); };
  if (!router.problem.empty()) add(with_names(router.problem, names));
  if (router.last_rejected && now - router.last_rejected->heard < while_it_matters(router)) {
    const auto& [source, reason, heard] = *router.last_rejected;
    const bool may_lead = router.state == vrrp::RouterState::master && reason != vrrp::RejectReason::vrid_conflict;
    add(fmt::format("advertisements from {} are refused: {} ({} so far, the last {} ago){}; {}", called(source, names),
                    vrrp::describe(reason), router.adverts.rejected[std::to_underlying(reason)],
                    net::to_string(std::chrono::milliseconds(milliseconds(now - heard))),
                    may_lead ? "; that node may be master too" : "", remedy(reason)));
  }
  return problems;
}

std::string role_of(const vrrp::Status& router) {
  return router.fault.empty() ? std::string(vrrp::to_string(router.state)) : "fault";
}

ordered_json vrrp_status(const vrrp::Status& router, const NodeNames& names, net::Instant now, net::WallTime since) {
  ordered_json peers = ordered_json::array();
  for (const auto& peer : router.peers) {
    peers.push_back({{"address", net::to_string(peer.address)},
                     {"priority", peer.priority},
                     {"heard_seconds", seconds(now - peer.heard)},
                     {"heard_ms", milliseconds(now - peer.heard)}});
    if (const auto name = names.find(peer.address); name != names.end()) peers.back()["node"] = name->second;
  }
  ordered_json status{{"name", router.spec.name},
                      {"state", vrrp::to_string(router.state)},
                      {"role", role_of(router)},
                      {"since", net::timestamp(since)},
                      {"since_seconds", seconds(now - router.since)},
                      {"reason", with_names(router.reason, names)},
                      {"priority", router.priority},
                      {"router_id", router.spec.router_id},
                      {"interface", router.spec.interface},
                      {"advertise_ms", router.spec.advertise.count()},
                      {"addresses", texts(router.spec.addresses)},
                      {"held", texts(router.present_addresses)},
                      {"routes", texts(router.spec.routes)},
                      {"peers", std::move(peers)},
                      {"adverts", counters(router.adverts)}};
  if (router.spec.virtual_mac) {
    status["holder"] = router.spec.address_interface();
    status["mac"] = net::to_string(vrrp::virtual_mac(router.spec.family(), router.spec.router_id));
  }
  if (!router.problem.empty()) status["problem"] = with_names(router.problem, names);
  if (!router.standby_reason.empty()) status["waits"] = router.standby_reason;
  if (router.source) status["source"] = net::to_string(*router.source);
  if (router.lease_end) status["lease_left_ms"] = milliseconds(*router.lease_end - now);
  if (router.next_timer) status["next_timer_ms"] = milliseconds(*router.next_timer - now);
  return status;
}

}  // namespace director
