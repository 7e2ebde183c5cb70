// What must hold at every step of every router, whatever the network does: a bystander who knows the RFC and sees what
// the router saw.

#include <fmt/format.h>

#include <algorithm>

#include "test/sim/world.h"

namespace sim {

namespace {

using vrrp::State;

Duration skew(const vrrp::Config& config, Duration interval) { return interval * (256 - config.priority) / 256; }

Duration patience(const vrrp::Config& config, Duration interval) { return 3 * interval + skew(config, interval); }

}  // namespace

void World::check(std::size_t index, const vrrp::Group& before, const vrrp::GroupEvent& event) {
  Router& router = routers_[index];
  const vrrp::Config& config = router.setup.config;
  const State was = before.machine.state;
  const State is = router.group.machine.state;
  const auto* heard = std::get_if<vrrp::MemberHeard>(&event);

  const auto follow = [&](Duration interval) {
    router.followed_interval = interval;
    router.master_not_before = now_ + patience(config, interval);
  };

  if (was == State::initialize && is == State::backup) follow(config.advertisement_interval);
  if (was == State::initialize && is == State::master && config.priority != vrrp::owner_priority) {
    violate(index, "started as master without owning the addresses");
  }
  if (was == State::backup && heard != nullptr) {
    const vrrp::Heard& advert = heard->advert;
    if (advert.priority == 0) {
      router.master_not_before = std::min(router.master_not_before, now_ + skew(config, router.followed_interval));
    } else {
      if (!config.preempt_mode || advert.priority >= config.priority) follow(advert.max_advertise_interval);
      for (std::size_t link = 0; link < links_; ++link) {
        if (holds(index, link)) violate(index, "a backup that hears a master still holds its addresses");
      }
    }
  }
  if (was == State::backup && is == State::master && now_ < router.master_not_before) {
    violate(index, "became master before its Master_Down_Timer could have run out");
  }
  if (was == State::master && heard != nullptr) {
    const bool higher = heard->advert.priority > config.priority;
    const bool may_yield = higher || (heard->advert.priority == config.priority && heard->advert.greater_address);
    if (is == State::backup && !may_yield) violate(index, "a master gave way to a lesser one");
    if (is == State::master && higher) violate(index, "a master did not give way to a higher priority");
    if (is == State::backup) follow(heard->advert.max_advertise_interval);
  }
  if (is != State::initialize && std::ranges::count(router.link_up, 0) > 0) {
    violate(index, "takes part with a link down");
  }
  for (std::size_t link = 1; link < links_; ++link) {
    if (holds(index, link) != holds(index, 0)) violate(index, "holds the addresses of one link and not of the other");
  }
  if (is == State::master && !holds(index, 0) && router.group.machine.lease_end > now_) {
    violate(index, "a master does not hold its addresses");
  }
}

void World::violate(std::size_t router, const std::string& what) const {
  throw Violation{.at = now_, .what = fmt::format("r{}: {}", router, what)};
}

}  // namespace sim
