#include "vrrp/routers.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace vrrp {

namespace {

using namespace std::chrono_literals;

/// Between one announcement of a burst and the next; the first is made at once. A neighbour may lose one or two.
constexpr std::array<Duration, 4> burst_pauses = {100ms, 400ms, 1s, 2s};
constexpr std::size_t no_band = std::numeric_limits<std::size_t>::max();

}  // namespace

Routers::Routers(net::Loop& loop, net::Leases leases, net::Announcer announcer, OnTransition on_transition,
                 OnError on_error)
    : loop_(loop),
      leases_(std::move(leases)),
      announcer_(std::move(announcer)),
      on_transition_(std::move(on_transition)),
      on_error_(std::move(on_error)) {}

Routers::~Routers() {
  for (Router& router : routers_) router.close(loop_);
  for (const Band& band : bands_) {
    loop_.cancel(band.timer);
    loop_.cancel(band.burst_timer);
  }
}

net::Result<std::unique_ptr<Routers>> Routers::start(net::Loop& loop, std::vector<Spec> specs,
                                                     const std::vector<std::vector<std::string>>& groups,
                                                     OnTransition on_transition, OnError on_error) {
  for (const Spec& spec : specs) {
    if (spec.addresses.empty()) return net::failure(fmt::format("vrrp {}: no addresses", spec.name));
    if (auto permitted = Link::permitted(spec.addresses.front().address.family()); !permitted) {
      return std::unexpected(permitted.error());
    }
  }
  auto leases = net::Leases::open();
  if (!leases) return std::unexpected(leases.error());
  auto announcer = net::Announcer::open();
  if (!announcer) return std::unexpected(announcer.error());

  std::unique_ptr<Routers> routers(
      new Routers(loop, std::move(*leases), std::move(*announcer), std::move(on_transition), std::move(on_error)));
  auto links =
      net::Links::follow(loop, [self = routers.get()](const std::string& name) { self->on_link_change(name); });
  if (!links) return std::unexpected(links.error());
  routers->links_ = std::move(*links);
  for (Spec& spec : specs) {
    for (const net::Prefix& prefix : spec.addresses) routers->virtual_addresses_.insert(prefix.address);
    routers->routers_.emplace_back(std::move(spec));
  }
  if (auto added = routers->add_bands(groups); !added) return std::unexpected(added.error());
  for (std::size_t band = 0; band < routers->bands_.size(); ++band) routers->start_band(band);
  return routers;
}

net::Result<> Routers::add_bands(const std::vector<std::vector<std::string>>& groups) {
  band_of_.assign(routers_.size(), no_band);
  for (const auto& names : groups) {
    std::vector<std::size_t> members;
    for (const std::string& name : names) {
      const auto router = std::ranges::find(routers_, name, [](const Router& r) { return r.spec().name; });
      if (router == routers_.end()) return net::failure(fmt::format("a group names {}, which is no vrrp router", name));
      members.push_back(static_cast<std::size_t>(router - routers_.begin()));
    }
    if (members.empty()) continue;
    if (auto added = add_band(std::move(members)); !added) return added;
  }
  for (std::size_t router = 0; router < routers_.size(); ++router) {
    if (band_of_[router] != no_band) continue;
    if (auto added = add_band({router}); !added) return added;
  }
  return {};
}

net::Result<> Routers::add_band(std::vector<std::size_t> members) {
  const Spec& first = routers_[members.front()].spec();
  for (const std::size_t router : members) {
    const Spec& spec = routers_[router].spec();
    if (std::exchange(band_of_[router], bands_.size()) != no_band) {
      return net::failure(fmt::format("vrrp {} is in two groups", spec.name));
    }
    if (spec.priority != first.priority || spec.preempt != first.preempt || spec.advertise != first.advertise) {
      return net::failure(
          fmt::format("vrrp {} and {} are in one group, so their priority, preempt and advertise must agree",
                      first.name, spec.name));
    }
  }
  Band band{
      .config = {.priority = first.priority, .advertisement_interval = first.advertise, .preempt_mode = first.preempt},
      .group = {},
      .members = std::move(members),
      .since = loop_.now(),
      .reason = "starting",
      .resigned = {}};
  band.group.members.resize(band.members.size());
  bands_.push_back(std::move(band));
  return {};
}

/// Addresses that an earlier life left on an interface are adopted: they stay until the role is decided.
void Routers::start_band(std::size_t index) {
  Band& band = bands_[index];
  for (std::size_t member = 0; member < band.members.size(); ++member) {
    const std::size_t router = band.members[member];
    refresh(router);
    band.group.members[member].link_up = routers_[router].fault().empty();
    band.group.machine.holding |= routers_[router].holds_any();
  }
  feed(index, Start{}, [] { return "started"; });
}

void Routers::refresh(std::size_t router) {
  routers_[router].refresh(loop_, links_->find(routers_[router].spec().interface), virtual_addresses_,
                           [this, router] { on_packets(router); });
}

void Routers::on_link_change(const std::string& interface) {
  for (std::size_t router = 0; router < routers_.size(); ++router) {
    if (routers_[router].spec().interface != interface) continue;
    refresh(router);
    const std::size_t index = band_of_[router];
    const std::size_t member = member_of(router);
    const Group& group = bands_[index].group;
    const std::string& fault = routers_[router].fault();
    if (fault.empty() != group.members[member].link_up) {
      feed(index, LinkChanged{.member = member, .up = fault.empty()},
           [&] { return fault.empty() ? fmt::format("link {} is up", interface) : fault; });
    } else if (group.machine.state == State::master && !routers_[router].holds_all()) {
      perform(index, Action::claim);  // somebody took an address away, or the interface was made anew
      perform(index, Action::announce);
    }
  }
}

std::size_t Routers::member_of(std::size_t router) const {
  const auto& members = bands_[band_of_[router]].members;
  return static_cast<std::size_t>(std::ranges::find(members, router) - members.begin());
}

void Routers::on_packets(std::size_t router) {
  const std::size_t index = band_of_[router];
  const std::size_t member = member_of(router);
  for (const auto& [source, heard] : routers_[router].receive(loop_.now())) {
    Band& band = bands_[index];
    band.resigned.reset();
    if (heard.priority == 0) band.resigned = source;
    feed(index, MemberHeard{.member = member, .advert = heard}, [&] {
      return fmt::format("heard {} with priority {}, ours is {}", to_string(source), heard.priority,
                         band.config.priority);
    });
  }
}

void Routers::on_timer(std::size_t index) {
  feed(index, Expired{}, [this, index] {
    const Band& band = bands_[index];
    if (band.resigned) return fmt::format("{} resigned", to_string(*band.resigned));
    const auto waited = master_down_interval(band.config, band.group.machine.master_adver_interval);
    return fmt::format("no master was heard for {}", net::to_string(waited));
  });
}

void Routers::feed(std::size_t index, const GroupEvent& event, const std::function<std::string()>& reason) {
  const Machine before = bands_[index].group.machine;
  auto [next, actions] = step(bands_[index].config, bands_[index].group, event, loop_.now());
  const bool changed = next.machine.state != before.state;
  std::string why = changed ? reason() : "";
  {
    Band& band = bands_[index];
    band.group = std::move(next);
    if (changed) {
      band.since = loop_.now();
      band.reason = why;
    }
  }
  for (const Action action : actions) perform(index, action);
  if (before.deadline != bands_[index].group.machine.deadline) arm(index);
  if (!changed) return;
  for (const std::size_t router : bands_[index].members) {
    on_transition_({.router = routers_[router].spec().name,
                    .from = before.state,
                    .to = bands_[index].group.machine.state,
                    .reason = why,
                    .at = loop_.now()});
  }
}

void Routers::perform(std::size_t index, Action action) {
  Band& band = bands_[index];
  if (action == Action::announce) {
    band.burst = 0;
    return announce(index);
  }
  for (const std::size_t i : band.members) {
    Router& router = routers_[i];
    switch (action) {
      case Action::advertise:
        note(i, Operation::send, router.send(band.config.priority));
        break;
      case Action::resign:
        note(i, Operation::send, router.send(0));
        break;
      case Action::claim:
        note(i, Operation::claim, router.claim(leases_, lease(band.config)));
        break;
      case Action::announce:
        break;
      case Action::yield:
        note(i, Operation::yield, router.yield(leases_));
        break;
    }
  }
}

/// One announcement of a burst, and a timer for the next.
void Routers::announce(std::size_t index) {
  Band& band = bands_[index];
  loop_.cancel(std::exchange(band.burst_timer, 0));
  if (band.group.machine.state != State::master) return;
  for (const std::size_t i : band.members) note(i, Operation::announce, routers_[i].announce(announcer_));
  if (band.burst == burst_pauses.size()) return;
  band.burst_timer = loop_.after(burst_pauses[band.burst++], [this, index] { announce(index); });
}

void Routers::arm(std::size_t index) {
  Band& band = bands_[index];
  loop_.cancel(std::exchange(band.timer, 0));
  if (band.group.machine.deadline) {
    band.timer = loop_.at(*band.group.machine.deadline, [this, index] { on_timer(index); });
  }
}

void Routers::note(std::size_t router, Operation operation, const net::Result<>& result) {
  if (result) {
    failing_.erase({router, operation});
    return;
  }
  std::string& last = failing_[{router, operation}];
  if (std::exchange(last, result.error().message) == result.error().message) return;
  if (on_error_) on_error_(routers_[router].spec().name, result.error());
}

std::vector<Status> Routers::status() const {
  std::vector<Status> all;
  for (std::size_t i = 0; i < routers_.size(); ++i) {
    const Router& router = routers_[i];
    const Band& band = bands_[band_of_[i]];
    const Machine& machine = band.group.machine;
    const auto fault = band.group.running ? band.group.fault() : std::nullopt;
    all.push_back({.spec = router.spec(),
                   .state = machine.state,
                   .since = band.since,
                   .reason = fault ? routers_[band.members[*fault]].fault() : band.reason,
                   .source = router.source(),
                   .held = router.held(),
                   .lease_end = machine.state == State::master ? std::optional(machine.lease_end) : std::nullopt,
                   .next_timer = machine.deadline,
                   .peers = router.peers(),
                   .adverts = router.counters()});
  }
  return all;
}

void Routers::stop() {
  for (std::size_t band = 0; band < bands_.size(); ++band) feed(band, Stop{}, [] { return "stopped"; });
}

}  // namespace vrrp
