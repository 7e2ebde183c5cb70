// One life: chaos, healing, peace, and then trials, each a single fault in a calm network, for which the RFC says
// exactly how long the handover may take. All bounds are computed here from the RFC's formulas.

#include "test/sim/life.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sim {

namespace {

using namespace std::chrono_literals;
using vrrp::Config;

constexpr Duration tick = 1ms;  ///< how late a timer may fire

class Story {
 public:
  Story(std::uint64_t seed, const Mutation& mutation, bool trace);

  void live();
  [[nodiscard]] std::string describe() const;

 private:
  Setup make_setup();
  void suffer();
  void mishap();
  void heal();
  void settle(Duration bound, const std::string& after);
  void stay_settled();
  void trial();
  void try_clean_stop();
  void try_crash();
  void try_link_down();
  void try_return();
  void try_hand_over();
  void try_restart();
  void try_standstill();
  void try_refusal();
  void try_fault();

  std::size_t below(std::size_t limit) { return random_() % limit; }
  bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }
  template <class T>
  T pick(std::initializer_list<T> choices) {
    return choices.begin()[below(choices.size())];
  }

  const Config& config(std::size_t router) const { return setup_.routers[router].config; }
  void know_each_other();
  void expect_held_until_taken_over(std::size_t master, Duration bound, const std::string& after);
  [[nodiscard]] std::vector<std::size_t> able() const;
  [[nodiscard]] bool may_lead(std::size_t router, const std::vector<std::size_t>& among) const;
  [[nodiscard]] Duration longest_interval() const;
  [[nodiscard]] Duration longest_skew(const std::vector<std::size_t>& among) const;
  [[nodiscard]] Duration patience(const std::vector<std::size_t>& among) const;
  void expect(bool holds, std::string_view what) const;
  [[noreturn]] void fail(const std::string& what) const;
  void expect_handover(Duration bound, const std::string& after);

  std::mt19937_64 random_;
  bool equal_intervals_ = true;
  bool acquainted_ = true;  ///< the routers know one another's priorities
  Setup setup_;
  Duration calm_delay_;
  World world_;
};

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
        world_.hold(who, chance(50));
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
    world_.hold(i, false);
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
      if (world_.holds(i, link) == world_.is_master(i)) continue;
      fail(fmt::format("r{} {} the addresses of link {}", i, world_.is_master(i) ? "lacks" : "still holds", link));
    }
  }
}

void Story::trial() {
  if (able().size() < 2 || chance(30)) return try_return();
  switch (below(8)) {
    case 0:
      return try_clean_stop();
    case 1:
      return try_crash();
    case 2:
      return try_link_down();
    case 3:
      return try_hand_over();
    case 4:
      return try_restart();
    case 5:
      return try_standstill();
    case 6:
      return try_refusal();
    default:
      return try_fault();
  }
}

/// Somebody holds the addresses at every moment until another is master.
void Story::expect_held_until_taken_over(std::size_t master, Duration bound, const std::string& after) {
  const auto taken_over = [&] {
    return std::ranges::any_of(world_.masters(), [&](std::size_t other) { return other != master; });
  };
  for (const Instant end = world_.now() + bound; world_.now() < end && !taken_over();) {
    expect(world_.holds(master, 0), "the addresses were gone before another had them, after " + after);
    world_.run(bound / 200);
  }
}

/// Priority 0: the highest takes over within its skew, and all is quiet when the lowest's has passed. Who knows its
/// peers waits for its successor, and who is known to be next does not wait.
void Story::try_clean_stop() {
  const std::size_t master = world_.masters().front();
  world_.stop(master);
  if (acquainted_) expect_held_until_taken_over(master, longest_skew(able()), "a clean stop");
  expect_handover(longest_skew(able()), "the master stopped");
  expect(world_.routers()[master].life == Life::dead, "a master did not end after its successor was there");
}

/// The operator's word: as a clean stop, but the old master is still there, and does not take the role back.
void Story::try_hand_over() {
  const std::size_t master = world_.masters().front();
  if (!acquainted_ || config(master).priority == vrrp::owner_priority) return;
  const auto others = able();
  std::uint8_t file_highest = 0;
  for (std::size_t i = 0; i < setup_.routers.size(); ++i) {
    if (i != master) file_highest = std::max(file_highest, config(i).priority);
  }
  int next = 0, highest = 0;
  for (std::size_t i = 0; i < setup_.routers.size(); ++i) {
    if (i == master || config(i).priority != file_highest) continue;
    ++highest;
    next += std::ranges::find(others, i) != others.end() ? 1 : 0;
  }
  const bool known = highest == 1 && next == 1;  // who is next lives, and knows that it is
  world_.hand_over(master);
  const Duration bound = known ? 3 * calm_delay_ + 2 * tick : longest_skew(others) + 3 * calm_delay_ + 2 * tick;
  if (known || longest_skew(others) < config(master).advertisement_interval) {
    expect_held_until_taken_over(master, bound, "a handover");
    world_.run(2 * tick + 3 * calm_delay_);
    const auto masters = world_.masters();
    expect(masters.size() == 1 && masters.front() != master, "the role was not handed over in time");
  }
  const bool given = !world_.is_master(master);
  settle(patience(able()) + longest_interval(), "the role was handed over");
  expect(!given || !world_.is_master(master), "what the operator gave away was taken back");
}

/// A new life that comes before any backup can have lost patience: nobody else notices.
void Story::try_restart() {
  const std::size_t master = world_.masters().front();
  const Duration interval = config(master).advertisement_interval;
  world_.run(interval / 10 * static_cast<int>(below(10)));
  world_.crash(master);
  const int transitions = world_.transitions();
  const Duration pause = interval / 10 * static_cast<int>(below(17));
  world_.run(pause);
  world_.start(master, chance(50));
  // A lease is claimed up to a tenth of a second, and less than two intervals, before the last advert.
  const bool in_time = pause + std::max<Duration>(interval, 100ms) + 3 * tick < 3 * interval;
  if (in_time) {
    expect(world_.is_master(master), "a new life that came in time did not go on as master");
    world_.run(5 * interval);
    expect(world_.transitions() == transitions + 1, "a restart in time was noticed by others");
  }
  world_.hold(master, false);
  settle(patience(able()) + longest_interval(), "a restart");
}

/// The whole machine stands still, for longer or shorter than a backup waits.
void Story::try_standstill() {
  const std::size_t who = able()[below(able().size())];
  world_.halt(who, chance(50) ? Life::frozen : Life::stopped);
  world_.run(longest_interval() / 2 * static_cast<int>(1 + below(20)));
  world_.resume(who);
  settle(patience(able()) + longest_interval(), "one stood still");
}

/// A master whose kernel takes its addresses no more gives the role up with its next claim.
void Story::try_refusal() {
  const std::size_t master = world_.masters().front();
  world_.refuse(master, true);
  world_.run(2 * std::max<Duration>(100ms, config(master).advertisement_interval) + longest_skew(able()) +
             3 * calm_delay_ + 2 * tick);
  expect(!world_.masters().empty() && !world_.is_master(master), "nobody took over from one whose claim was refused");
  world_.run(longest_interval() * static_cast<int>(below(50)));
  expect(world_.masters().size() == 1, "one whose claims are refused disturbed the master");
  world_.refuse(master, false);
  const auto retry = world_.routers()[master].group.retry_at;
  settle(patience(able()) + (retry ? *retry - world_.now() : Duration{}), "the kernel took addresses again");
}

/// Who is of no use gives the role up at once.
void Story::try_fault() {
  const std::size_t master = world_.masters().front();
  world_.fault(master, true);
  expect_handover(longest_skew(able()), "the master was faulted");
  world_.fault(master, false);
  settle(patience(able()), "the fault was gone");
}

/// The addresses of the dead outlive it just long enough: somebody holds them at every moment.
void Story::try_crash() {
  const std::size_t master = world_.masters().front();
  world_.crash(master);
  std::uint8_t next_priority = 0;
  for (const std::size_t i : able()) next_priority = std::max(next_priority, config(i).priority);
  const Duration margin = config(master).advertisement_interval * next_priority / 256;
  const Duration bound = patience(able());
  if (calm_delay_ + 2 * tick < margin) {
    for (const Instant end = world_.now() + bound; world_.now() < end && world_.masters().empty();) {
      expect(world_.holds(master, 0), "the addresses of a crashed master were gone before another was there");
      world_.run(bound / 200);
    }
  }
  expect_handover(patience(able()), "the master crashed");
}

/// One link of the master loses its carrier: by the others, if there are any, the rest learns of it at once.
void Story::try_link_down() {
  const std::size_t master = world_.masters().front();
  const std::size_t link = below(setup_.links);
  world_.set_link(master, link, false);
  const bool told = setup_.links > 1;
  expect_handover(told ? longest_skew(able()) : patience(able()), "the master lost a link");
  world_.set_link(master, link, true);
  settle(patience(able()), "the link came back");
}

/// One that was away comes back, and takes over only if it is greater and preempts.
void Story::try_return() {
  std::vector<std::size_t> away;
  for (std::size_t i = 0; i < setup_.routers.size(); ++i) {
    if (world_.routers()[i].life == Life::dead) away.push_back(i);
  }
  if (away.empty()) return;
  const std::size_t back = away[below(away.size())];
  const auto before = world_.masters();
  world_.start(back);
  settle(patience(able()), "one came back");
  const bool hears_in_time =
      3 * config(back).advertisement_interval > config(before.front()).advertisement_interval + calm_delay_;
  if (!hears_in_time) return;
  const bool preempts = config(back).priority == vrrp::owner_priority ||
                        (config(back).preempt_mode && config(back).priority > config(before.front()).priority);
  expect(world_.is_master(back) == preempts,
         fmt::format("r{} came back and {} master", back, preempts ? "did not become" : "became"));
}

void Story::expect_handover(Duration bound, const std::string& after) {
  bound += 3 * calm_delay_ + 2 * tick;
  world_.run(bound);
  if (world_.masters().empty()) fail(fmt::format("no master {} after {}", net::to_string(bound), after));
  settle(patience(able()), after);
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
    return !world_.routers()[other].group.machine.aside && config(other).priority > config(router).priority &&
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

}  // namespace

void live(std::uint64_t seed, const Mutation& mutation, bool trace) { Story(seed, mutation, trace).live(); }

std::string describe(std::uint64_t seed) { return Story(seed, Mutation{}, false).describe(); }

}  // namespace sim
