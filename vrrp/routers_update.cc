// What virtual routers there are, at the start and whenever the cluster file changes.

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

#include "vrrp/routers.h"

namespace vrrp {

/// A new list of routers, matched with those that there are.
struct Routers::Change {
  std::vector<Spec> specs;
  Arrangement arrangement;
  std::vector<Id> ids{};     ///< of the router for each spec
  std::set<Id> kept{};       ///< bands that go on
  std::set<Id> fresh{};      ///< bands that begin
  std::set<Id> different{};  ///< bands with other routers than before
};

net::Result<std::unique_ptr<Routers>> Routers::start(net::Loop& loop, std::vector<Spec> specs, const Groups& groups,
                                                     OnTransition on_transition, OnError on_error, OnNotice on_notice,
                                                     std::string held, std::filesystem::path settings) {
  if (auto may = permitted(specs); !may) return std::unexpected(may.error());
  auto leases = net::Leases::open();
  if (!leases) return std::unexpected(leases.error());
  auto routes = net::RouteTable::open();
  if (!routes) return std::unexpected(routes.error());
  auto macvlans = net::Macvlans::open();
  if (!macvlans) return std::unexpected(macvlans.error());
  auto announcer = net::Announcer::open();
  if (!announcer) return std::unexpected(announcer.error());

  Tools tools{.leases = std::move(*leases),
              .routes = std::move(*routes),
              .macvlans = std::move(*macvlans),
              .announcer = std::move(*announcer),
              .sysctls = net::Sysctls("/proc/sys", std::move(settings))};
  std::unique_ptr<Routers> routers(new Routers(loop, std::move(tools), std::move(on_transition), std::move(on_error),
                                               std::move(on_notice), std::move(held)));
  auto links =
      net::Links::follow(loop, [self = routers.get()](const std::string& name) { self->on_link_change(name); });
  if (!links) return std::unexpected(links.error());
  routers->links_ = std::move(*links);
  if (auto added = routers->update(std::move(specs), groups); !added) return std::unexpected(added.error());
  return routers;
}

net::Result<> Routers::permitted(const std::vector<Spec>& specs) {
  for (const Spec& spec : specs) {
    if (spec.addresses.empty()) return net::failure(fmt::format("vrrp {}: no addresses", spec.name));
    if (auto may = Link::permitted(spec.family()); !may) return may;
  }
  return {};
}

/// The groups, then those that stand alone.
net::Result<Routers::Arrangement> Routers::arrange(const std::vector<Spec>& specs, const Groups& groups) {
  Arrangement arrangement;
  std::set<std::size_t> grouped;
  for (const auto& names : groups) {
    std::vector<std::size_t> members;
    for (const std::string& name : names) {
      const auto found = std::ranges::find(specs, name, &Spec::name);
      if (found == specs.end()) return net::failure(fmt::format("a group names {}, which is no vrrp router", name));
      members.push_back(static_cast<std::size_t>(found - specs.begin()));
      if (!grouped.insert(members.back()).second) return net::failure(fmt::format("vrrp {} is in two groups", name));
      const Spec& first = specs[members.front()];
      if (found->priority != first.priority || found->preempt != first.preempt ||
          found->preempt_delay != first.preempt_delay || found->advertise != first.advertise) {
        return net::failure(fmt::format(
            "vrrp {} and {} are in one group, so their priority, preempt and advertise must agree", first.name, name));
      }
    }
    if (!members.empty()) arrangement.push_back(std::move(members));
  }
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (!grouped.contains(i)) arrangement.push_back({i});
  }
  return arrangement;
}

std::optional<Routers::Id> Routers::find_same(const Spec& spec) const {
  for (const auto& [id, router] : routers_) {
    const Spec& known = router.spec();
    if (std::ranges::find(order_, id) != order_.end() && known.router_id == spec.router_id &&
        known.interface == spec.interface && known.family() == spec.family() && known.virtual_mac == spec.virtual_mac) {
      return id;
    }
  }
  return std::nullopt;
}

net::Result<> Routers::update(std::vector<Spec> specs, const Groups& groups) {
  if (auto may = permitted(specs); !may) return may;
  auto arrangement = arrange(specs, groups);
  if (!arrangement) return std::unexpected(arrangement.error());
  Change change{.specs = std::move(specs), .arrangement = std::move(*arrangement)};
  for (const Spec& spec : change.specs) {
    auto id = find_same(spec);
    if (!id) {
      id = ++last_id_;
      routers_.emplace(*id, Router(spec));
    }
    change.ids.push_back(*id);
  }
  order_ = change.ids;
  virtual_addresses_.clear();
  const auto note_addresses = [&](const Spec& spec) {
    for (const VirtualAddress& address : spec.addresses) virtual_addresses_.insert(address.prefix.address);
  };
  std::ranges::for_each(change.specs, note_addresses);
  for (const auto& [id, router] : routers_) note_addresses(router.spec());  // those that go still hold theirs
  regroup(change);
  for (const Id band : change.kept) adapt(band, change);
  for (const Id band : change.fresh) start_band(band);
  sweep_routes();
  return {};
}

/// Routes that an earlier life left, or this one set, and that no router has any more.
void Routers::sweep_routes() {
  const auto held = tools_.routes.held();
  if (!held) return;  // the next change sweeps again
  std::set<net::RouteEntry> wanted;
  for (const auto& [id, router] : routers_) {
    const auto routes = router.routes(*links_);
    wanted.insert(routes.begin(), routes.end());
  }
  for (const net::RouteEntry& route : *held) {
    if (!wanted.contains(route)) std::ignore = tools_.routes.drop(route);
  }
}

/// Each band of the new list becomes that of its first router that was there, and what is left goes: a band of which
/// nothing stays hands over and stops, a router that leaves its band alone goes with a farewell.
void Routers::regroup(Change& change) {
  const auto before = band_of_;
  std::map<Id, std::vector<Id>> members_before;
  for (const auto& [id, band] : bands_) members_before[id] = band.members;
  std::set<Id> named(change.ids.begin(), change.ids.end());
  for (const auto& indices : change.arrangement) {
    std::vector<Id> members;
    for (const std::size_t i : indices) members.push_back(change.ids[i]);
    const auto was_there = std::ranges::find_if(members, [&](Id router) {
      const auto band = before.find(router);
      return band != before.end() && !change.kept.contains(band->second);
    });
    const Id id = was_there == members.end() ? ++last_id_ : before.at(*was_there);
    (was_there == members.end() ? change.fresh : change.kept).insert(id);
    Band& band = bands_[id];
    std::vector<Member> conditions;
    for (const Id router : members) {
      const auto old = std::ranges::find(band.members, router);
      conditions.push_back(old == band.members.end()
                               ? Member{}
                               : band.group.members[static_cast<std::size_t>(old - band.members.begin())]);
      band_of_[router] = id;
    }
    if (band.members != members) change.different.insert(id);
    band.members = std::move(members);
    band.group.members = std::move(conditions);
  }
  for (const auto& [id, members] : members_before) {
    if (change.kept.contains(id)) {
      for (const Id router : members) {
        if (!named.contains(router)) drop_router(router);
      }
    } else if (std::ranges::any_of(members, [&](Id router) { return named.contains(router); })) {
      for (const Id router : members) {
        if (!named.contains(router)) drop_router(router);
      }
      bands_.at(id).members.clear();
      drop_band(id);
    } else {
      feed(id, Stop{}, [] { return "left the cluster file"; });
    }
  }
  forget_stopped();
}

/// One that leaves a group which goes on without it.
void Routers::drop_router(Id id) {
  Router& router = routers_.at(id);
  if (bands_.at(band_of_.at(id)).group.machine.state == State::master) note(id, Operation::send, router.send(0, true));
  std::ignore = yield(id);
  std::ignore = note(id, Operation::yield, router.retire(tools_));
  router.close(loop_);
  std::erase_if(failing_, [&](const auto& entry) { return entry.first.first == id; });
  routers_.erase(id);
  conditions_.erase(id);
  band_of_.erase(id);
}

/// With the routers that it still has.
void Routers::drop_band(Id id) {
  const Band band = std::move(bands_.at(id));
  loop_.cancel(band.timer);
  loop_.cancel(band.announce_timer);
  retire(band);
  for (const Id router : band.members) {
    routers_.at(router).close(loop_);
    std::erase_if(failing_, [&](const auto& entry) { return entry.first.first == router; });
    routers_.erase(router);
    conditions_.erase(router);
    band_of_.erase(router);
  }
  bands_.erase(id);
}

/// A band that goes on, with other parameters perhaps, other addresses, other routers.
void Routers::adapt(Id id, const Change& change) {
  Band& band = bands_.at(id);
  bool different = change.different.contains(id);
  for (std::size_t i = 0; i < change.ids.size(); ++i) {
    if (band_of_.at(change.ids[i]) != id) continue;
    Router& router = routers_.at(change.ids[i]);
    different |= router.spec() != change.specs[i];
    note(change.ids[i], Operation::yield, router.change(loop_, tools_.leases, change.specs[i]));
  }
  band.config = config_of(band);
  std::vector<LinkChanged> changed;  // told when all are known: a newcomer is not down before it was looked at
  for (std::size_t member = 0; member < band.members.size(); ++member) {
    refresh(band.members[member]);
    const bool up = routers_.at(band.members[member]).fault().empty();
    if (std::exchange(band.group.members[member].link_up, up) != up) changed.push_back({.member = member, .up = up});
  }
  for (const auto& link : changed) {
    feed(id, link, [&] {
      const std::string& fault = routers_.at(band.members[link.member]).fault();
      return fault.empty() ? std::string("all links are up") : fault;
    });
  }
  if (!different) return;
  // A router that came from a band which was master brings its addresses along.
  for (const Id router : band.members) {
    if (!band.group.machine.holding && holds_any(router)) std::ignore = yield(router);
  }
  feed(id, Reconfigured{}, [] { return "the cluster file changed"; });
}

/// Addresses that an earlier life left on an interface are adopted: they stay until the role is decided, which it is
/// where nobody else can have it yet.
void Routers::start_band(Id id) {
  Band& band = bands_.at(id);
  band.config = config_of(band);
  band.since = loop_.now();
  band.reason = "starting";
  band.group.machine.held = !held_.empty();
  band.group.faulted = !reason_of(band, &Conditions::fault).empty();
  std::optional<Instant> claimed = Instant::max();
  for (std::size_t member = 0; member < band.members.size(); ++member) {
    const Id id_of_router = band.members[member];
    Router& router = routers_.at(id_of_router);
    refresh(id_of_router);
    band.group.members[member].link_up = router.fault().empty();
    band.group.machine.holding |= holds_any(id_of_router);
    const auto since = router.claimed(tools_.leases, lease(band.config));
    claimed = claimed && since ? std::optional(std::min(*claimed, *since)) : std::nullopt;
  }
  feed(id, Start{.claimed = claimed}, [&] {
    if (!claimed) return std::string("started");
    const auto ago = std::chrono::ceil<std::chrono::milliseconds>(loop_.now() - *claimed);
    const bool listens = loop_.now() >= *claimed + 3 * band.config.advertisement_interval;
    return fmt::format("started; its earlier life held the addresses {} ago{}", net::to_string(ago),
                       listens ? ", long enough for another to take over: it listens first" : "");
  });
}

/// Addresses, or routes, which may outlive them.
bool Routers::holds_any(Id id) {
  const Router& router = routers_.at(id);
  if (router.holds_any() || router.spec().routes.empty()) return router.holds_any();
  const auto held = tools_.routes.held();
  const auto routes = router.routes(*links_);
  return held && std::ranges::find_first_of(*held, routes) != held->end();
}

/// Bands that were told to stop for good, and have.
void Routers::forget_stopped() {
  std::vector<Id> gone;
  for (const auto& [id, band] : bands_) {
    const bool listed =
        std::ranges::any_of(band.members, [&](Id router) { return std::ranges::find(order_, router) != order_.end(); });
    if (is_stopped(band)) (listed ? retire(band) : gone.push_back(id));
  }
  for (const Id id : gone) drop_band(id);
  if (!std::ranges::all_of(bands_, [](const auto& entry) { return is_stopped(entry.second); })) return;
  tools_.sysctls.restore();
  if (on_stopped_) std::exchange(on_stopped_, {})();
}

bool Routers::is_stopped(const Band& band) {
  return !band.group.running && band.group.machine.state == State::initialize;
}

void Routers::retire(const Band& band) {
  for (const Id router : band.members) {
    std::ignore = note(router, Operation::yield, routers_.at(router).retire(tools_));
  }
}

}  // namespace vrrp
