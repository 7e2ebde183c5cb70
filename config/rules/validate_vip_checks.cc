// Contradictions of checks `via: vip`, and of the marks that lead them.

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "config/rules/validate.h"

namespace config {
namespace {

class VipCheckRules {
 public:
  VipCheckRules(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics)
      : cluster_(cluster), origin_(origin), diagnostics_(diagnostics) {}

  void check(const Service& service, std::size_t index);
  void marks();

 private:
  void marks_are_free();
  void marks_suffice();
  [[nodiscard]] Origin::Path kind_path(Origin::Path check) const;
  void refuse(Origin::Path path, std::string_view key, const std::string& why);

  const Cluster& cluster_;
  const Origin& origin_;
  Diagnostics& diagnostics_;
};

/// The kind within a check that says `via`.
Origin::Path VipCheckRules::kind_path(Origin::Path path) const {
  path.emplace_back();
  for (const auto* kind : {"tcp", "tls", "http", "https", "udp", "dns", "smtp"}) {
    path.back() = kind;
    if (origin_.has(path)) break;
  }
  return path;
}

void VipCheckRules::refuse(Origin::Path path, std::string_view key, const std::string& why) {
  path.emplace_back(key);
  if (origin_.has(path) && origin_.valid(path)) diagnostics_.error(origin_.place(path), why);
}

void VipCheckRules::check(const Service& service, std::size_t index) {
  const auto& check = service.checks[index];
  const auto path = check_path(origin_, service, index);
  if (!check.path.via_vip) return;
  const auto kind = kind_path(path);
  if (service.forward == ipvs::Forward::nat && origin_.valid({"services", service.name, "forward"})) {
    refuse(kind, "via", fmt::format("service '{}' has 'forward: nat'; 'via: vip' needs dr or tunnel", service.name));
  }
  if (service.key.fwmark != 0) {
    refuse(kind, "via",
           fmt::format("service '{}' has 'fwmark' and no address; 'via: vip' needs 'listen'", service.name));
  }
  const std::string goes = "a check with 'via: vip' goes to the service's address by a route that directord sets";
  if (check.address) refuse(path, "address", goes + "; expected no 'address'");
  if (check.path.mark != 0) refuse(path, "mark", goes + "; expected no 'mark'");
  if (!check.path.interface.empty()) refuse(path, "interface", goes + "; expected no 'interface'");
  const auto& source = check.path.source;
  if (!source) return;
  const auto& address = service.key.endpoint.address;
  if (source->family() != address.family()) {
    refuse(path, "source",
           fmt::format("source {} and target {} are of different address families", to_string(*source),
                       to_string(address)));
  }
  const auto holds = [&](const VirtualRouter& router) { return router.has(*source); };
  if (*source == address || std::ranges::any_of(cluster_.virtual_routers, holds)) {
    refuse(path, "source",
           fmt::format(
               "{} moves between the directors; a check with 'via: vip' needs a source address that stays on its node",
               to_string(*source)));
  }
}

void VipCheckRules::marks() {
  const auto& [first, last] = cluster_.probe_marks;
  const Origin::Path path = {"probe_marks", "last"};
  if (first > last) {
    return refuse({"probe_marks"}, "last", fmt::format("the range ends at {}, below its start {}", last, first));
  }
  if (!origin_.valid(path) || !origin_.valid({"probe_marks", "first"})) return;
  marks_are_free();
  marks_suffice();
}

void VipCheckRules::marks_are_free() {
  const auto& marks = cluster_.probe_marks;
  const auto taken = [&](std::uint32_t mark) {
    return fmt::format("the mark {} is in the range {} to {} reserved for checks with 'via: vip' (probe_marks)", mark,
                       marks.first, marks.last);
  };
  for (const auto& service : cluster_.services) {
    if (service.key.fwmark != 0 && marks.contains(service.key.fwmark)) {
      refuse({"services", service.name}, "fwmark", taken(service.key.fwmark));
    }
    for (std::size_t i = 0; i < service.checks.size(); ++i) {
      const auto mark = service.checks[i].path.mark;
      if (mark != 0 && marks.contains(mark)) refuse(check_path(origin_, service, i), "mark", taken(mark));
    }
  }
}

/// A mark leads to one server, in one way of forwarding.
void VipCheckRules::marks_suffice() {
  std::set<std::tuple<net::Family, net::Address, ipvs::Forward>> ways;
  for (const auto& service : cluster_.services) {
    if (std::ranges::none_of(service.checks, [](const auto& check) { return check.path.via_vip; })) continue;
    for (const auto& server : service.servers) {
      ways.emplace(service.key.family(), server.endpoint.address, service.forward);
    }
  }
  const auto& [first, last] = cluster_.probe_marks;
  if (ways.size() <= std::size_t{last} - first + 1) return;
  const auto message = fmt::format("checks with 'via: vip' need one mark for each server: {} needed, {} available",
                                   ways.size(), std::size_t{last} - first + 1);
  diagnostics_.error(origin_.place({"probe_marks", "last"}), message);
}

}  // namespace

void validate_vip_checks(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics) {
  VipCheckRules rules(cluster, origin, diagnostics);
  rules.marks();
  for (const auto& service : cluster.services) {
    for (std::size_t i = 0; i < service.checks.size(); ++i) rules.check(service, i);
  }
}

}  // namespace config
