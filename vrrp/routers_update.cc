// What virtual routers there are, at the start and whenever the cluster file changes.

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

#include "net/host.h"
#include "vrrp/routers.h"

namespace vrrp {

/// A new list of routers, matched with those that there are.
struct Routers::Change {
  Wanted wanted;
  std::vector<Id> ids{};     ///< of the router for each spec
  std::set<Id> kept{};       ///< bands that go on
  std::set<Id> fresh{};      ///< bands that begin
  std::set<Id> different{};  ///< bands with other routers than before
};

net::Result<std::unique_ptr<Routers>> Routers::start(net::Loop& loop, net::Host& host, Wanted wanted,
                                                     OnTransition on_transition, OnError on_error, OnNotice on_notice,
                                                     std::string held, std::filesystem::path settings) {
  if (auto opened = host.open(); !opened) return std::unexpected(opened.error());
  std::unique_ptr<Routers> routers(new Routers(loop, host, std::move(settings), std::move(on_transition),
                                               std::move(on_error), std::move(on_notice), std::move(held)));
  auto links = host.follow_links(loop, [self = routers.get()](const std::string& name) { self->on_link_change(name); });
  if (!links) return std::unexpected(links.error());
  routers->links_ = std::move(*links);
  routers->update(std::move(wanted));
  return routers;
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

void Routers::update(Wanted wanted) {
  Change change{.wanted = std::move(wanted)};
  for (const Spec& spec : change.wanted.specs) {
    auto id = find_same(spec);
    if (!id) {
      id = ++last_id_;
      routers_.emplace(*id, Router(loop_, host_, spec));
    }
    change.ids.push_back(*id);
  }
  set_conditions(change);
  order_ = change.ids;
  virtual_addresses_.clear();
  const auto note_addresses = [&](const Spec& spec) {
    for (const VirtualAddress& address : spec.addresses) virtual_addresses_.insert(address.prefix.address);
  };
  std::ranges::for_each(change.wanted.specs, note_addresses);
  for (const auto& [id, router] : routers_) note_addresses(router.spec());  // those that go still hold theirs
  regroup(change);
  for (const Id band : change.kept) adapt(band, change);
  for (const Id band : change.fresh) start_band(band);
  sweep_routes();
}

/// All are known before any is heeded, since those of a group add up. Who is there already heeds them by the parameters
/// that its peers know.
void Routers::set_conditions(const Change& change) {
  std::set<Id> bands;
  for (std::size_t i = 0; i < change.ids.size(); ++i) {
    const auto said = change.wanted.conditions.find(change.wanted.specs[i].name);
    if (said == change.wanted.conditions.end()) continue;
    conditions_[change.ids[i]] = said->second;
    if (const auto band = band_of_.find(change.ids[i]); band != band_of_.end()) bands.insert(band->second);
  }
  for (const Id band : bands) heed(band, "another cluster file");
}

/// Routes that an earlier life left, or this one set, and that no router has any more.
void Routers::sweep_routes() {
  const auto held = host_.held_routes();
  if (!held) return;  // the next change sweeps again
  std::set<net::RouteEntry> wanted;
  for (const auto& [id, router] : routers_) {
    const auto routes = router.routes(*links_);
    wanted.insert(routes.begin(), routes.end());
  }
  for (const net::RouteEntry& route : *held) {
    if (!wanted.contains(route)) std::ignore = host_.drop_route(route);
  }
}

/// Each band of the new list becomes that of its first router that was there, and what is left goes: a band of which
/// nothing stays hands over and stops, a router that leaves its band alone goes with a farewell.
void Routers::regroup(Change& change) {
  const auto before = band_of_;
  std::map<Id, std::vector<Id>> members_before;
  for (const auto& [id, band] : bands_) members_before[id] = band.members;
  std::set<Id> named(change.ids.begin(), change.ids.end());
  for (const auto& indices : change.wanted.groups) {
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
  std::ignore = note(id, Operation::yield, router.retire());
  router.close();
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
    routers_.at(router).close();
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
    different |= router.spec() != change.wanted.specs[i];
    note(change.ids[i], Operation::yield, router.change(change.wanted.specs[i]));
  }
  band.config = config_of(band);
  std::vector<LinkChanged> changed;  // told when all are known: a newcomer is not down before it was looked at
  for (std::size_t member = 0; member < band.members.size(); ++member) {
    refresh(band.members[member]);
    const bool up = routers_.at(band.members[member]).fault().empty();
    if (std::exchange(band.group.members[member].link_up, up) != up) changed.push_back({.member = member, .up = up});
  }
  heed_fault(id);  // of a router that came, or that left
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
    const auto since = router.claimed(lease(band.config));
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
  const auto held = host_.held_routes();
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
  sysctls_.restore();
  if (on_stopped_) std::exchange(on_stopped_, {})();
}

bool Routers::is_stopped(const Band& band) {
  return !band.group.running && band.group.machine.state == State::initialize;
}

void Routers::retire(const Band& band) {
  for (const Id router : band.members) {
    std::ignore = note(router, Operation::yield, routers_.at(router).retire());
  }
}

}  // namespace vrrp
