// What the director says to the virtual routers while they run.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "vrrp/routers.h"

namespace vrrp {

void Routers::introduce(Identity self, OnMet on_met) {
  self_ = std::move(self);
  on_met_ = std::move(on_met);
}

void Routers::release(const std::string& why) {
  held_.clear();
  for (const auto& [id, band] : bands_) {
    if (band.group.machine.held && band.useless.empty()) feed(id, Hold{.held = false}, [&] { return why; });
  }
}

std::string Routers::hold_reason(const Band& band) const { return band.useless.empty() ? held_ : band.useless; }

void Routers::give_up(const std::string& router, const std::string& reason) {
  const auto id = find(router);
  if (!id) return;
  Band& band = bands_.at(band_of_.at(*id));
  if (std::exchange(band.useless, reason) == reason) return;
  const bool held = !hold_reason(band).empty();
  if (band.group.machine.held != held) {
    notice(band, held ? "gives up: " + reason : "may lead again");
    feed(band_of_.at(*id), Hold{.held = held}, [] { return "may lead again"; });
  }
  if (held) feed(band_of_.at(*id), HandOver{}, [&] { return reason; });
}

void Routers::lower(const std::string& router, int by) {
  const auto id = find(router);
  if (!id) return;
  Band& band = bands_.at(band_of_.at(*id));
  if (std::exchange(band.lowered[*id], by) == by) return;
  band.config = config_of(band);
  notice(band, fmt::format("priority is {} now", band.config.priority));
  feed(band_of_.at(*id), Reconfigured{}, [] { return ""; });
}

Config Routers::config_of(const Band& band) const {
  const Spec& spec = routers_.at(band.members.front()).spec();
  int priority = spec.priority;
  for (const auto& [router, by] : band.lowered) {
    if (std::ranges::find(band.members, router) != band.members.end()) priority -= by;
  }
  return {.priority = static_cast<std::uint8_t>(std::max(priority, 1)),
          .advertisement_interval = spec.advertise,
          .preempt_mode = spec.preempt,
          .preempt_delay = spec.preempt_delay,
          .version = spec.version,
          .peer_priorities = spec.peer_priorities};
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
