// What the director says to the virtual routers while they run.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "vrrp/routers.h"

namespace vrrp {

void Routers::release(const std::string& why) {
  held_.clear();
  for (const auto& [id, band] : bands_) {
    if (band.group.machine.held) feed(id, Hold{.held = false}, [&] { return why; });
  }
}

void Routers::fault(const std::string& router, const std::string& reason) {
  const auto id = find(router);
  if (!id) return;
  const Id band = band_of_.at(*id);
  bands_.at(band).fault = reason;
  if (bands_.at(band).group.faulted == !reason.empty()) return;
  feed(band, Fault{.faulted = !reason.empty()}, [&] { return reason.empty() ? "of use again" : reason; });
}

net::Result<> Routers::hand_over(const std::string& router) {
  const auto id = find(router);
  if (!id) return net::failure(fmt::format("there is no virtual router {}", router));
  const Id band = band_of_.at(*id);
  const auto& machine = bands_.at(band).group.machine;
  if (machine.state != State::master) {
    return net::failure(fmt::format("{} is {} here, not master", router, to_string(machine.state)));
  }
  if (bands_.at(band).config.peer_priorities.empty()) {
    return net::failure(fmt::format("{} has no other node to go to", router));
  }
  feed(band, HandOver{}, [] { return "handed over by the operator"; });
  return {};
}

void Routers::stop(OnStopped on_stopped) {
  on_stopped_ = std::move(on_stopped);
  std::vector<Id> bands;
  for (const auto& [id, band] : bands_) bands.push_back(id);
  for (const Id band : bands) feed(band, Stop{}, [] { return "stopped"; });
  forget_stopped();
}

void Routers::leave_to_next_life() {
  for (const auto& [id, band] : bands_) feed(id, Reconfigured{}, [] { return ""; });
}

}  // namespace vrrp
