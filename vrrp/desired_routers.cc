#include "vrrp/desired_routers.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "net/host.h"
#include "vrrp/link.h"

namespace vrrp {
namespace {

net::Result<> permitted(net::Host& host, const std::vector<Spec>& specs) {
  for (const Spec& spec : specs) {
    if (spec.addresses.empty()) return net::failure(fmt::format("vrrp {}: no addresses", spec.name));
    const auto socket = socket_for(spec.family(), net::RawSocket::Use::multicast, {});
    if (auto may = host.may_open_socket(socket); !may) return may;
  }
  return {};
}

}  // namespace

net::Result<DesiredRouters> prepare(net::Host& host, std::vector<Spec> specs, const Groups& groups) {
  if (auto may = permitted(host, specs); !may) return std::unexpected(may.error());
  DesiredRouters desired{.specs = std::move(specs), .groups = {}};
  std::set<std::size_t> grouped;
  for (const auto& names : groups) {
    std::vector<std::size_t> members;
    for (const std::string& name : names) {
      const auto found = std::ranges::find(desired.specs, name, &Spec::name);
      if (found == desired.specs.end()) {
        return net::failure(fmt::format("a sync group lists {}, which is not a virtual router", name));
      }
      members.push_back(static_cast<std::size_t>(found - desired.specs.begin()));
      if (!grouped.insert(members.back()).second)
        return net::failure(fmt::format("vrrp {} is in two sync groups", name));
      const Spec& first = desired.specs[members.front()];
      if (found->priority != first.priority || found->preempt != first.preempt ||
          found->preempt_delay != first.preempt_delay || found->advertise != first.advertise) {
        return net::failure(fmt::format(
            "vrrp {} and {} are in one sync group: their priority, preempt, preempt_delay and advertise must be equal",
            first.name, name));
      }
    }
    if (!members.empty()) desired.groups.push_back(std::move(members));
  }
  for (std::size_t i = 0; i < desired.specs.size(); ++i) {
    if (!grouped.contains(i)) desired.groups.push_back({i});
  }
  return desired;
}

}  // namespace vrrp
