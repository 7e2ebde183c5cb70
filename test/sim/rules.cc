// What must hold at every step of every router, whatever the network does: a bystander who knows the RFC and sees what
// the router saw.

#include <fmt/format.h>

#include <algorithm>

#include "test/sim/world.h"

namespace sim {

namespace {

using vrrp::RouterState;

Duration skew(const vrrp::Config& config, Duration interval) { return interval * (256 - config.priority) / 256; }

Duration patience(const vrrp::Config& config, Duration interval) { return 3 * interval + skew(config, interval); }

}  // namespace

void World::check(std::size_t index, const vrrp::SyncGroupState& before, const vrrp::SyncGroupEvent& event) {
  Router& router = routers_[index];
  const vrrp::Config& config = router.setup.config;
  const RouterState was = before.machine.state;
  const RouterState is = router.group.machine.state;
  const auto* heard = std::get_if<vrrp::MemberHeard>(&event);

  const auto follows = [&](const vrrp::Heard& advert) {
    const bool preempts = config.priority == vrrp::owner_priority ||
                          (config.preempt_mode && !before.machine.failed_over && now_ >= router.preempts_from);
    return !preempts || advert.priority >= config.priority;
  };
  const auto follow = [&](Duration interval) {
    router.followed_interval = interval;
    router.master_not_before = now_ + patience(config, interval);
  };

  if (was == RouterState::initialize && is != RouterState::initialize) {
    router.preempts_from = now_ + config.preempt_delay;
    follow(config.advertisement_interval);
    const bool another_life = std::holds_alternative<vrrp::Start>(event) && router.claimed != Instant{};
    if (another_life) {
      router.master_not_before = now_ + config.advertisement_interval + skew(config, config.advertisement_interval);
    }
    if (config.priority == vrrp::owner_priority) router.master_not_before = now_;
    const bool resumes =
        std::holds_alternative<vrrp::Start>(event) && now_ < router.claimed + 3 * config.advertisement_interval;
    if (is == RouterState::master && config.priority != vrrp::owner_priority && !resumes) {
      violate(index, "started as master without owning the addresses");
    }
  }
  if (was == RouterState::backup && heard != nullptr) {
    const vrrp::Heard& advert = heard->advert;
    if (advert.priority == 0) {
      const Duration wait = is_next(index, *heard) ? Duration{} : skew(config, router.followed_interval);
      router.master_not_before = std::min(router.master_not_before, now_ + wait);
    } else {
      if (follows(advert)) follow(advert.max_advertise_interval);
      for (std::size_t link = 0; link < links_; ++link) {
        if (holds(index, link)) violate(index, "a backup that hears a master still holds its addresses");
      }
    }
  }
  if (was != RouterState::master && is == RouterState::master) {
    const bool resumes = was == RouterState::initialize;
    if (!resumes && now_ < router.master_not_before) {
      violate(index, "became master before its Master_Down_Timer could have run out");
    }
    if (!resumes && router.inhibited) violate(index, "became master although it was held");
  }
  const bool was_late = check_timer(index, before, event);
  if (was == RouterState::master && heard != nullptr && !was_late && before.machine.leaving == vrrp::Leaving::no) {
    const bool higher = heard->advert.priority > config.priority;
    const bool may_yield = higher || (heard->advert.priority == config.priority && heard->advert.greater_address);
    if (is == RouterState::backup && !may_yield) violate(index, "a master gave way to a lesser one");
    if (is == RouterState::master && higher) violate(index, "a master did not give way to a higher priority");
  }
  if (was_late && is == RouterState::backup && heard != nullptr) {
    // It has stood still and listens; what waited for it says who leads, or that nobody does.
    if (heard->advert.priority == 0) {
      router.master_not_before = std::min(router.master_not_before, now_ + skew(config, config.advertisement_interval));
    } else if (follows(heard->advert)) {
      follow(heard->advert.max_advertise_interval);
    }
  }
  if (was == RouterState::master && is == RouterState::backup && heard != nullptr && !was_late)
    follow(heard->advert.max_advertise_interval);
  if (is != RouterState::initialize && std::ranges::count(router.link_up, 0) > 0) {
    violate(index, "takes part with a link down");
  }
  if (is != RouterState::initialize && router.faulted) violate(index, "takes part although it is of no use");
  for (std::size_t link = 1; link < links_; ++link) {
    if (holds(index, link) != holds(index, 0)) violate(index, "holds the addresses of one link and not of the other");
  }
  if (is == RouterState::master && !holds(index, 0) && router.group.machine.lease_end > now_) {
    violate(index, "a master does not hold its addresses");
  }
}

/// A timer that came so late that this node must have stood still proves nothing. Whether a master's was.
bool World::check_timer(std::size_t index, const vrrp::SyncGroupState& before, const vrrp::SyncGroupEvent& event) {
  Router& router = routers_[index];
  const bool timer = std::holds_alternative<vrrp::Expired>(event);
  if (!timer && !std::holds_alternative<vrrp::MemberHeard>(event)) return false;
  if (!before.machine.deadline || before.retry_at) return false;
  const Duration late = now_ - *before.machine.deadline;
  const Duration interval = router.setup.config.advertisement_interval;
  const bool is_master = router.group.machine.state == RouterState::master;
  if (timer && before.machine.state == RouterState::backup && is_master &&
      late > std::max(interval, router.followed_interval)) {
    violate(index, "a backup became master by a timer that came too late");
  }
  if (before.machine.state != RouterState::master || late < 2 * interval) return false;
  if (is_master && !timer) return false;  // a tie that another link decides
  if (is_master) violate(index, "a master went on after it had been silent for longer than a backup waits");
  router.followed_interval = interval;
  router.master_not_before = now_ + interval;
  return true;
}

/// Whether everyone who comes before this router in the cluster file is the sender of a farewell.
bool World::is_next(std::size_t index, const vrrp::MemberHeard& farewell) const {
  const vrrp::Config& config = routers_[index].setup.config;
  if (config.peer_priorities.empty()) return false;
  for (std::size_t other = 0; other < routers_.size(); ++other) {
    const RouterSetup& setup = routers_[other].setup;
    if (other == index || setup.addresses[farewell.member] == farewell.source) continue;
    if (setup.config.priority >= config.priority) return false;
  }
  return true;
}

void World::violate(std::size_t router, const std::string& what) const {
  throw Violation{.at = now_, .what = fmt::format("r{}: {}", router, what)};
}

}  // namespace sim
