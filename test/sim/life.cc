// A life up to the trials (trials.cc).

#include "test/sim/life.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "test/sim/story.h"

namespace sim {

using namespace std::chrono_literals;

Story::Story(std::uint64_t seed, const Mutation& mutation, bool trace)
    : random_(seed), setup_(make_setup()), world_(setup_, seed, mutation, trace) {
  know_each_other();
  calm_delay_ = longest_interval() / pick({50, 200, 1000});
}

Setup Story::make_setup() {
  Setup setup;
  setup.links = 1 + below(3);
  const std::size_t count = 2 + below(4);
  equal_intervals_ = chance(60);
  const auto interval = pick({10ms, 100ms, 250ms, 1000ms, 3000ms});
  const int ties = pick({0, 0, 20, 100});  // percent of routers that share a priority
  const int preempting = pick({100, 100, 50, 0});
  const bool owned = chance(10);
  const auto preempt_delay = interval * pick({0, 0, 0, 5, 20});
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t priority = chance(ties) ? 100 : 1 + below(254);
    RouterSetup router{.config = {.priority = static_cast<std::uint8_t>(owned && i == 0 ? 255 : priority),
                                  .advertisement_interval = equal_intervals_ ? interval : interval * pick({1, 1, 2, 5}),
                                  .preempt_mode = chance(preempting),
                                  .preempt_delay = preempt_delay,
                                  .peer_priorities = {}},
                       .addresses = {}};
    setup.routers.push_back(router);
  }
  acquainted_ = chance(70);
  const bool ipv6 = chance(30);
  for (std::size_t link = 0; link < setup.links; ++link) {
    std::vector<std::size_t> hosts = {1, 2, 3, 4, 5};
    std::ranges::shuffle(hosts, random_);  // the order of addresses differs from link to link
    for (std::size_t i = 0; i < count; ++i) {
      const std::string text =
          ipv6 ? fmt::format("fe80::{}:{}", link, hosts[i]) : fmt::format("10.{}.0.{}", link, hosts[i]);
      setup.routers[i].addresses.push_back(net::Address::parse(text).value());
    }
  }
  return setup;
}

/// What the cluster file says of the others, on each.
void Story::know_each_other() {
  for (std::size_t i = 0; acquainted_ && i < setup_.routers.size(); ++i) {
    auto& peers = setup_.routers[i].config.peer_priorities;
    peers.clear();
    for (std::size_t other = 0; other < setup_.routers.size(); ++other) {
      if (other != i) peers.push_back(config(other).priority);
    }
  }
  for (std::size_t i = 0; i < setup_.routers.size(); ++i) {
    if (world_.routers()[i].life == Life::running || world_.routers()[i].life == Life::dead) {
      world_.reconfigure(i, config(i));
    }
  }
}

std::string Story::describe() const {
  std::string text = fmt::format("{} links;", setup_.links);
  for (const RouterSetup& router : setup_.routers) {
    text += fmt::format(" {}/{}ms{}", router.config.priority, router.config.advertisement_interval.count(),
                        router.config.preempt_mode ? "" : "/no-preempt");
  }
  return text;
}

void Story::live() {
  suffer();
  heal();
  for (int trials = 0; trials < 3; ++trials) trial();
}

/// Some dozens of intervals in which nothing is promised but what rules.cc checks at every step.
void Story::suffer() {
  const Duration interval = longest_interval();
  world_.set_weather({.loss = pick({0.0, 0.05, 0.3}),
                      .duplication = pick({0.0, 0.1}),
                      .corruption = pick({0.0, 0.05}),
                      .max_delay = interval * static_cast<int>(pick({0, 1, 4})) / 2});
  for (std::size_t i = 0; i < setup_.routers.size(); ++i) {
    if (chance(90)) world_.start(i);
    if (chance(50)) world_.run(interval * static_cast<int>(below(40)) / 10);
  }
  for (std::size_t mishaps = below(12); mishaps > 0; --mishaps) {
    mishap();
    world_.run(interval * static_cast<int>(below(40)) / 10);
  }
}

void Story::mishap() {
  const std::size_t who = below(setup_.routers.size());
  const std::size_t link = below(setup_.links);
  const Life life = world_.routers()[who].life;
  if (chance(40)) {
    for (std::size_t other = 0; other < setup_.routers.size(); ++other) {
      if (other == who || chance(30)) continue;
      const bool is_cut = chance(70);
      world_.cut(link, who, other, is_cut);
      if (!chance(20)) world_.cut(link, other, who, is_cut);  // else one-way
    }
    world_.say({}, fmt::format("cuts around r{} on link {}", who, link));
  } else if (chance(30)) {
    world_.set_link(who, link, chance(40));
  } else if (life == Life::running && chance(25)) {
    switch (below(4)) {
      case 0:
        world_.refuse(who, chance(50));
        break;
      case 1:
        world_.fault(who, chance(50));
        break;
      case 2:
        world_.set_inhibited(who, chance(50));
        break;
      default:
        if (acquainted_) world_.hand_over(who);
        break;
    }
  } else if (life == Life::dead) {
    world_.start(who);
  } else if (life != Life::running) {
    world_.resume(who);
  } else {
    switch (below(4)) {
      case 0:
        world_.crash(who);
        break;
      case 1:
        world_.stop(who);
        break;
      case 2:
        world_.halt(who, Life::stopped);
        break;
      default:
        world_.halt(who, Life::frozen);
        break;
    }
  }
}

void Story::heal() {
  Duration straggler = longest_interval() * 2;  // suffer()'s longest delay
  world_.say({}, "the network heals");
  world_.mend_all_cuts();
  world_.set_weather({.min_delay = calm_delay_ / 10, .max_delay = calm_delay_, .in_order = true});
  for (std::size_t i = 0; i < setup_.routers.size(); ++i) {
    for (std::size_t link = 0; link < setup_.links; ++link) world_.set_link(i, link, true);
    const Life life = world_.routers()[i].life;
    if (life == Life::stopped || life == Life::frozen) world_.resume(i);
    world_.refuse(i, false);
    if (life == Life::dead) {
      if (chance(50)) world_.start(i);
      continue;
    }
    world_.fault(i, false);
    world_.set_inhibited(i, false);
    straggler = std::max(straggler, world_.routers()[i].group.retry_at.value_or(Instant{}) - world_.now());
  }
  know_each_other();  // also those that stood still when it changed
  if (able().empty()) world_.start(below(setup_.routers.size()));
  settle(straggler + patience(able()), "the network healed");
}

/// One master within `bound`, the right one, and for a while nothing but it. Where the routers' addresses are in
/// different order on different links, equals may both yield once before they agree. Where intervals differ, the last
/// advert of a fast master may overtake the first of a slow one, and a backup that believes it loses patience once.
void Story::settle(Duration bound, const std::string& after) {
  const auto among = able();
  bool ties = false;
  for (const std::size_t a : among) {
    for (const std::size_t b : among) ties |= a != b && config(a).priority == config(b).priority;
  }
  if (ties && setup_.links > 1) bound += 2 * patience(among);
  if (!equal_intervals_) bound += patience(among);
  bound += setup_.routers.front().config.preempt_delay;
  world_.run(bound);
  const auto masters = world_.masters();
  const std::string when = fmt::format("{} after {}", net::to_string(bound), after);
  expect(masters.size() == 1, fmt::format("{} masters, {}", masters.size(), when));
  expect(may_lead(masters.front(), among),
         fmt::format("r{} is master over one that preempts, {}", masters.front(), when));
  stay_settled();
}

void Story::stay_settled() {
  const int transitions = world_.transitions();
  Duration longest_lease{};
  for (const RouterSetup& router : setup_.routers)
    longest_lease = std::max<Duration>(longest_lease, lease(router.config));
  world_.run(longest_lease + 5 * longest_interval());
  expect(world_.transitions() == transitions, "a role changed in a calm network");
  for (std::size_t i = 0; i < setup_.routers.size(); ++i) {
    for (std::size_t link = 0; link < setup_.links; ++link) {
      if (world_.is_master(i))
        expect(world_.announcer(link).value_or(i) == i, "the neighbours send to one that is not master");
      if (world_.holds(i, link) == world_.is_master(i)) continue;
      fail(fmt::format("r{} {} the addresses of link {}", i, world_.is_master(i) ? "lacks" : "still holds", link));
    }
  }
}

std::vector<std::size_t> Story::able() const {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < setup_.routers.size(); ++i) {
    if (world_.is_able(i)) all.push_back(i);
  }
  return all;
}

bool Story::may_lead(std::size_t router, const std::vector<std::size_t>& among) const {
  return std::ranges::none_of(among, [&](std::size_t other) {
    return !world_.routers()[other].group.machine.failed_over && config(other).priority > config(router).priority &&
           (config(other).preempt_mode || config(other).priority == vrrp::owner_priority);
  });
}

Duration Story::longest_interval() const {
  Duration longest{};
  for (const RouterSetup& router : setup_.routers) {
    longest = std::max<Duration>(longest, router.config.advertisement_interval);
  }
  return longest;
}

bool Story::one_pace(const std::vector<std::size_t>& routers, std::size_t as) const {
  return std::ranges::all_of(
      routers, [&](std::size_t i) { return config(i).advertisement_interval == config(as).advertisement_interval; });
}

Duration Story::longest_skew(const std::vector<std::size_t>& among) const {
  Duration longest{};
  for (const std::size_t i : among) longest = std::max(longest, longest_interval() * (256 - config(i).priority) / 256);
  return longest;
}

/// The longest that any of them waits for a silent master, and for its word to get round.
Duration Story::patience(const std::vector<std::size_t>& among) const {
  return 3 * longest_interval() + longest_skew(among) + 3 * calm_delay_ + 2 * tick;
}

void Story::expect(bool holds, std::string_view what) const {
  if (!holds) fail(std::string(what));
}

void Story::fail(const std::string& what) const { throw Violation{.at = world_.now(), .what = what}; }

void live(std::uint64_t seed, const Mutation& mutation, bool trace) { Story(seed, mutation, trace).live(); }

std::string describe(std::uint64_t seed) { return Story(seed, Mutation{}, false).describe(); }

}  // namespace sim
