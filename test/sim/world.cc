#include "test/sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "vrrp/advert.h"

namespace sim {

namespace {

constexpr std::uint8_t router_id = 51;
constexpr Duration timer_granularity = std::chrono::milliseconds(1);

vrrp::Path multicast(const net::Address& source) {
  static const net::Address ipv4 = net::Address::parse("224.0.0.18").value();
  static const net::Address ipv6 = net::Address::parse("ff02::12").value();
  return {.source = source, .destination = source.is_v4() ? ipv4 : ipv6};
}

bool later(const auto& a, const auto& b) { return a.at != b.at ? a.at > b.at : a.order > b.order; }

std::string text_of(const vrrp::GroupEvent& event) {
  if (const auto* heard = std::get_if<vrrp::MemberHeard>(&event)) {
    return fmt::format("heard priority {} on link {}", heard->advert.priority, heard->member);
  }
  if (const auto* link = std::get_if<vrrp::LinkChanged>(&event)) {
    return fmt::format("link {} {}", link->member, link->up ? "up" : "down");
  }
  if (std::holds_alternative<vrrp::Start>(event)) return "start";
  return std::holds_alternative<vrrp::Stop>(event) ? "stop" : "timer";
}

}  // namespace

World::World(const Setup& setup, std::uint64_t seed, const Mutation& mutation, bool trace)
    : links_(setup.links),
      cuts_(setup.links * setup.routers.size() * setup.routers.size()),
      last_arrival_(setup.routers.size() * setup.routers.size()),
      mutation_(mutation),
      trace_(trace),
      random_(seed) {
  for (const RouterSetup& router : setup.routers) {
    routers_.push_back({.setup = router,
                        .group = {},
                        .link_up = std::vector<std::uint8_t>(links_, 1),
                        .address_until = std::vector<Instant>(links_),
                        .inbox = {}});
  }
}

void World::run(Duration duration) {
  const Instant end = now_ + duration;
  while (!queue_.empty() && queue_.front().at <= end) {
    std::ranges::pop_heap(queue_, later<Happening, Happening>);
    const Happening next = std::move(queue_.back());
    queue_.pop_back();
    now_ = next.at;
    std::visit([this](const auto& what) { happen(what); }, next.what);
  }
  now_ = end;
}

void World::start(std::size_t index) {
  Router& router = routers_[index];
  router.life = Life::running;
  router.group = {};
  router.group.machine.holding = std::ranges::any_of(router.address_until, [&](Instant end) { return end > now_; });
  for (const std::uint8_t up : router.link_up) router.group.members.push_back({.link_up = up != 0});
  feed(index, vrrp::Start{});
}

void World::stop(std::size_t index) {
  feed(index, vrrp::Stop{});
  crash(index);
}

void World::crash(std::size_t index) {
  routers_[index].life = Life::dead;
  routers_[index].inbox.clear();
  say(index, "process gone");
}

void World::halt(std::size_t index, Life how) {
  routers_[index].life = how;
  say(index, how == Life::stopped ? "SIGSTOP" : "machine frozen");
}

void World::resume(std::size_t index) {
  Router& router = routers_[index];
  router.life = Life::running;
  say(index, fmt::format("goes on, {} packets waiting", router.inbox.size()));
  for (const bool up : {false, true}) {
    for (std::size_t link = 0; link < links_; ++link) {
      if ((router.link_up[link] != 0) == up && router.group.members[link].link_up != up) {
        feed(index, vrrp::LinkChanged{link, up});
      }
    }
  }
  for (const auto& waiting : std::exchange(router.inbox, {})) receive(index, waiting.link, waiting.from, waiting.bytes);
  expire_if_due(index);
}

void World::set_link(std::size_t index, std::size_t link, bool up) {
  Router& router = routers_[index];
  if ((router.link_up[link] != 0) == up) return;
  router.link_up[link] = up ? 1 : 0;
  if (router.life == Life::running) feed(index, vrrp::LinkChanged{link, up});
}

void World::cut(std::size_t link, std::size_t from, std::size_t to, bool is_cut) {
  cuts_[(link * routers_.size() + from) * routers_.size() + to] = is_cut ? 1 : 0;
}

void World::mend_all_cuts() { std::ranges::fill(cuts_, 0); }

bool World::is_master(std::size_t router) const {
  return routers_[router].life != Life::dead && routers_[router].group.machine.state == vrrp::State::master;
}

bool World::is_able(std::size_t router) const {
  return routers_[router].life == Life::running && std::ranges::all_of(routers_[router].link_up, std::identity{});
}

bool World::holds(std::size_t router, std::size_t link) const { return routers_[router].address_until[link] > now_; }

std::vector<std::size_t> World::masters() const {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < routers_.size(); ++i) {
    if (is_master(i)) all.push_back(i);
  }
  return all;
}

void World::say(std::optional<std::size_t> router, const std::string& text) const {
  if (!trace_) return;
  const auto time = std::chrono::duration<double>(now_.time_since_epoch() - std::chrono::hours(1)).count();
  fmt::print("{:10.4f} {} {}\n", time, router ? fmt::format("r{}", *router) : "--", text);
}

void World::schedule(Instant at, std::variant<Wake, Packet> what) {
  queue_.push_back({.at = at, .order = order_++, .what = std::move(what)});
  std::ranges::push_heap(queue_, later<Happening, Happening>);
}

void World::happen(const Wake& wake) {
  const Router& router = routers_[wake.router];
  if (wake.generation == router.timer && router.life == Life::running) expire_if_due(wake.router);
}

void World::happen(const Packet& packet) {
  Router& router = routers_[packet.to];
  if (router.link_up[packet.link] == 0) return;
  if (router.life == Life::running) {
    receive(packet.to, packet.link, packet.from, packet.bytes);
  } else if (router.life == Life::stopped && router.inbox.size() < 200) {
    router.inbox.push_back({packet.link, packet.from, packet.bytes});
  }
}

void World::receive(std::size_t index, std::size_t link, std::size_t from, std::span<const std::byte> bytes) {
  const net::Address& local = routers_[index].setup.addresses[link];
  const net::Address& source = routers_[from].setup.addresses[link];
  const auto advert = vrrp::decode(bytes, multicast(source));
  if (!advert || advert->router_id != router_id) return;
  feed(index, vrrp::MemberHeard{.member = link,
                                .advert = {.priority = advert->priority,
                                           .max_advertise_interval = advert->max_advertise_interval,
                                           .greater_address = source > local}});
}

void World::feed(std::size_t index, const vrrp::GroupEvent& event) {
  Router& router = routers_[index];
  const vrrp::Group before = router.group;
  auto [next, actions] = mutation_.step(router.setup.config, before, event, now_);
  router.group = std::move(next);
  for (const vrrp::Action action : actions) perform(index, action);
  if (before.machine.state != router.group.machine.state) {
    ++transitions_;
    if (trace_) {
      say(index, fmt::format("{} -> {}: {}", to_string(before.machine.state), to_string(router.group.machine.state),
                             text_of(event)));
    }
  }
  if (before.machine.deadline != router.group.machine.deadline) arm(index);
  check(index, before, event);
}

void World::perform(std::size_t index, vrrp::Action action) {
  Router& router = routers_[index];
  for (std::size_t link = 0; link < links_; ++link) {
    if (!mutation_.performs(action, link)) continue;
    switch (action) {
      case vrrp::Action::advertise:
        send(index, link, router.setup.config.priority);
        break;
      case vrrp::Action::resign:
        send(index, link, 0);
        break;
      case vrrp::Action::claim:
        router.address_until[link] = now_ + lease(router.setup.config);
        break;
      case vrrp::Action::announce:
        break;
      case vrrp::Action::yield:
        router.address_until[link] = {};
        break;
    }
  }
}

void World::send(std::size_t index, std::size_t link, std::uint8_t priority) {
  const Router& router = routers_[index];
  if (router.link_up[link] == 0) return;
  const vrrp::Advert advert{.router_id = router_id,
                            .priority = priority,
                            .max_advertise_interval = router.setup.config.advertisement_interval,
                            .addresses = {router.setup.addresses[link]}};
  const auto sent = encode(advert, multicast(router.setup.addresses[link]), vrrp::Checksum::rfc9568);
  for (std::size_t to = 0; to < routers_.size(); ++to) {
    if (to == index || cuts_[(link * routers_.size() + index) * routers_.size() + to] != 0) continue;
    for (int copies = chance(weather_.duplication) ? 2 : 1; copies > 0; --copies) {
      if (chance(weather_.loss)) continue;
      auto bytes = sent;
      if (chance(weather_.corruption)) bytes[random_() % bytes.size()] ^= static_cast<std::byte>(1U << random_() % 8);
      Instant arrival = now_ + random_duration(weather_.min_delay, weather_.max_delay);
      Instant& last = last_arrival_[index * routers_.size() + to];
      if (weather_.in_order) arrival = last = std::max(last, arrival);
      schedule(arrival, Packet{.link = link, .from = index, .to = to, .bytes = std::move(bytes)});
    }
  }
}

void World::expire_if_due(std::size_t index) {
  const auto deadline = routers_[index].group.machine.deadline;
  if (deadline && *deadline <= now_) feed(index, vrrp::Expired{});
}

void World::arm(std::size_t index) {
  Router& router = routers_[index];
  ++router.timer;
  if (!router.group.machine.deadline) return;
  const Instant at = std::max(now_, *router.group.machine.deadline) + random_duration({}, timer_granularity);
  schedule(at, Wake{.router = index, .generation = router.timer});
}

bool World::chance(double probability) {
  return probability > 0 && static_cast<double>(random_() >> 11) * 0x1p-53 < probability;
}

Duration World::random_duration(Duration low, Duration high) {
  return low + Duration(static_cast<Duration::rep>(random_() % static_cast<std::uint64_t>((high - low).count() + 1)));
}

}  // namespace sim
