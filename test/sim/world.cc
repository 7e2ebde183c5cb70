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

std::string text_of(const vrrp::SyncGroupEvent& event) {
  if (const auto* heard = std::get_if<vrrp::MemberHeard>(&event)) {
    return fmt::format("heard priority {} on link {}", heard->advert.priority, heard->member);
  }
  if (const auto* link = std::get_if<vrrp::LinkChanged>(&event)) {
    return fmt::format("link {} {}", link->member, link->up ? "up" : "down");
  }
  if (const auto* inhibit = std::get_if<vrrp::Inhibit>(&event)) return inhibit->inhibited ? "held" : "released";
  if (const auto* fault = std::get_if<vrrp::Fault>(&event)) return fault->faulted ? "faulted" : "fault cleared";
  if (std::holds_alternative<vrrp::Start>(event)) return "start";
  if (std::holds_alternative<vrrp::HandOver>(event)) return "hand over";
  if (std::holds_alternative<vrrp::ClaimFailed>(event)) return "claim refused";
  if (std::holds_alternative<vrrp::Reconfigured>(event)) return "reconfigured";
  return std::holds_alternative<vrrp::Stop>(event) ? "stop" : "timer";
}

}  // namespace

World::World(const Setup& setup, std::uint64_t seed, const Mutation& mutation, bool trace)
    : links_(setup.links),
      cuts_(setup.links * setup.routers.size() * setup.routers.size()),
      last_arrival_(setup.routers.size() * setup.routers.size()),
      announcers_(setup.links),
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

void World::start(std::size_t index, bool inhibited) {
  Router& router = routers_[index];
  router.life = Life::running;
  router.stopping = false;
  router.faulted = false;
  router.inhibited = inhibited;
  router.group = {};
  router.group.machine.inhibited = inhibited;
  const Instant longest_ago = std::ranges::min(router.address_until);
  router.group.machine.has_addresses = std::ranges::max(router.address_until) > now_;
  for (const std::uint8_t up : router.link_up) router.group.members.push_back({.link_up = up != 0});
  const bool all_there = longest_ago > now_;
  router.claimed = all_there ? longest_ago - lease(router.setup.config) : Instant{};
  feed(index, vrrp::Start{.claimed = all_there ? std::optional(router.claimed) : std::nullopt});
}

void World::stop(std::size_t index) {
  routers_[index].stopping = true;
  feed(index, vrrp::Stop{});
}

void World::hand_over(std::size_t index) { feed(index, vrrp::HandOver{}); }

void World::set_inhibited(std::size_t index, bool inhibited) {
  routers_[index].inhibited = inhibited;
  feed(index, vrrp::Inhibit{inhibited});
}

void World::refuse(std::size_t index, bool refused) {
  routers_[index].refused = refused;
  say(index, refused ? "its kernel refuses addresses" : "its kernel takes addresses");
}

void World::fault(std::size_t index, bool faulted) {
  routers_[index].faulted = faulted;
  feed(index, vrrp::Fault{faulted});
}

void World::reconfigure(std::size_t index, const vrrp::Config& config) {
  routers_[index].setup.config = config;
  if (routers_[index].life == Life::running) feed(index, vrrp::Reconfigured{});
}

void World::crash(std::size_t index) {
  routers_[index].life = Life::dead;
  routers_[index].inbox.clear();
  for (std::size_t link = 0; link < links_; ++link) fall_silent(index, link);
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

/// Whoever leads now may not hear that there was another: the neighbours learn of it with the minute's announcement,
/// which is the shell's.
void World::fall_silent(std::size_t index, std::size_t link) {
  const auto* cuts = &cuts_[(link * routers_.size() + index) * routers_.size()];
  const bool is_cut_off = std::any_of(cuts, cuts + routers_.size(), [](std::uint8_t is_cut) { return is_cut != 0; });
  if (announcers_[link] == index && is_cut_off) announcers_[link].reset();
}

void World::set_link(std::size_t index, std::size_t link, bool up) {
  Router& router = routers_[index];
  if ((router.link_up[link] != 0) == up) return;
  router.link_up[link] = up ? 1 : 0;
  if (!up) fall_silent(index, link);
  if (router.life == Life::running) feed(index, vrrp::LinkChanged{link, up});
}

void World::cut(std::size_t link, std::size_t from, std::size_t to, bool is_cut) {
  cuts_[(link * routers_.size() + from) * routers_.size() + to] = is_cut ? 1 : 0;
}

void World::mend_all_cuts() { std::ranges::fill(cuts_, 0); }

bool World::is_master(std::size_t router) const {
  return routers_[router].life != Life::dead && routers_[router].group.machine.state == vrrp::RouterState::master;
}

bool World::is_able(std::size_t index) const {
  const Router& router = routers_[index];
  return router.life == Life::running && !router.stopping && !router.inhibited && !router.refused && !router.faulted &&
         std::ranges::all_of(router.link_up, std::identity{});
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
                                           .greater_address = source > local},
                                .source = source});
}

void World::feed(std::size_t index, const vrrp::SyncGroupEvent& event) {
  Router& router = routers_[index];
  const vrrp::SyncGroupState before = router.group;
  auto step = mutation_.step(router.setup.config, before, event, now_);
  router.group = std::move(step.next);
  if (!perform(index, step.actions)) {
    step = mutation_.step(router.setup.config, router.group, vrrp::ClaimFailed{}, now_);
    router.group = std::move(step.next);
    perform(index, step.actions);
  }
  if (before.machine.state != router.group.machine.state) {
    ++transitions_;
    if (trace_) {
      say(index, fmt::format("{} -> {}: {}", to_string(before.machine.state), to_string(router.group.machine.state),
                             text_of(event)));
    }
  }
  if (before.deadline() != router.group.deadline()) arm(index);
  check(index, before, event);
  if (router.stopping && router.group.machine.state == vrrp::RouterState::initialize) crash(index);
}

/// Until a claim is refused: then it is false.
bool World::perform(std::size_t index, const std::vector<vrrp::Action>& actions) {
  for (const vrrp::Action action : actions) {
    if (action == vrrp::Action::claim && routers_[index].refused) return false;
    perform(index, action);
  }
  return true;
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
        if (router.link_up[link] != 0) announcers_[link] = index;
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
  const auto deadline = routers_[index].group.deadline();
  if (deadline && *deadline <= now_) feed(index, vrrp::Expired{});
}

void World::arm(std::size_t index) {
  Router& router = routers_[index];
  ++router.timer;
  const auto deadline = router.group.deadline();
  if (!deadline) return;
  const Instant at = std::max(now_, *deadline) + random_duration({}, timer_granularity);
  schedule(at, Wake{.router = index, .generation = router.timer});
}

bool World::chance(double probability) {
  return probability > 0 && static_cast<double>(random_() >> 11) * 0x1p-53 < probability;
}

Duration World::random_duration(Duration low, Duration high) {
  return low + Duration(static_cast<Duration::rep>(random_() % static_cast<std::uint64_t>((high - low).count() + 1)));
}

}  // namespace sim
