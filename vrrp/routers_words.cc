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
    if (band.group.machine.held) feed(id, Hold{.held = false}, [&] { return why; });
  }
}

/// Of the first member that has one.
std::string Routers::reason_of(const Band& band, std::string Conditions::* kind) const {
  for (const Id router : band.members) {
    const auto said = conditions_.find(router);
    if (said != conditions_.end() && !(said->second.*kind).empty()) return said->second.*kind;
  }
  return "";
}

void Routers::give_up(const std::string& router, const std::string& reason) {
  const auto id = find(router);
  if (!id || std::exchange(conditions_[*id].useless, reason) == reason) return;
  heed(band_of_.at(*id), reason);
}

void Routers::lower(const std::string& router, int by, const std::string& cause) {
  const auto id = find(router);
  if (!id || std::exchange(conditions_[*id].lower, by) == by) return;
  heed(band_of_.at(*id), cause);
}

void Routers::fault(const std::string& router, const std::string& reason) {
  const auto id = find(router);
  if (!id) return;
  conditions_[*id].fault = reason;
  heed_fault(band_of_.at(*id));
}

/// Brings a band in line with what was said of its routers; `cause` is why its priority changes, if it does.
void Routers::heed(Id id, const std::string& cause) {
  Band& band = bands_.at(id);
  const Config config = config_of(band);
  if (config.last_resort != band.config.last_resort) {
    const std::string why = reason_of(band, &Conditions::useless);
    if (why.empty()) {
      notice(band, {.kind = Notice::Kind::may_lead, .text = "may lead again"});
    } else {
      notice(band, {.kind = Notice::Kind::gives_up, .text = "gives up: " + why});
    }
    // While it still has the priority that its peers know it by. Without peers it would be back with that one at once.
    if (!why.empty() && !config.peer_priorities.empty()) feed(id, HandOver{}, [&] { return std::string(why); });
    band.config = config;
    feed(id, Reconfigured{}, [] { return ""; });
    if (why.empty() && !band.group.machine.held) feed(id, Hold{.held = false}, [] { return "may lead again"; });
  } else if (config.priority != band.config.priority) {
    const auto kind = config.priority < band.config.priority ? Notice::Kind::lowered : Notice::Kind::raised;
    const auto text = fmt::format("priority {} -> {}: {}", band.config.priority, config.priority, cause);
    band.config = config;
    notice(band, {.kind = kind, .text = text});
    feed(id, Reconfigured{}, [] { return ""; });
  }
  heed_fault(id);
}

void Routers::heed_fault(Id id) {
  const std::string why = reason_of(bands_.at(id), &Conditions::fault);
  if (bands_.at(id).group.faulted == !why.empty()) return;
  feed(id, Fault{.faulted = !why.empty()}, [&] { return why.empty() ? "of use again" : why; });
}

Config Routers::config_of(const Band& band) const {
  const Spec& spec = routers_.at(band.members.front()).spec();
  int priority = spec.priority;
  for (const Id router : band.members) {
    const auto said = conditions_.find(router);
    if (said != conditions_.end()) priority -= said->second.lower;
  }
  const bool last_resort = !reason_of(band, &Conditions::useless).empty();
  return {.priority = static_cast<std::uint8_t>(last_resort ? 1 : std::max(priority, 1)),
          .advertisement_interval = spec.advertise,
          .preempt_mode = spec.preempt,
          .preempt_delay = spec.preempt_delay,
          .version = spec.version,
          .last_resort = last_resort,
          .peer_priorities = spec.peer_priorities};
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
