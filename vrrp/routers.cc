#include "vrrp/routers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "net/check.h"
#include "net/host.h"

namespace vrrp {

/// A new list of routers, matched with those that there are.
struct Routers::Update {
  DesiredRouters desired;
  std::vector<GroupRouter*> routers{};                                ///< for each spec
  std::map<const GroupRouter*, std::unique_ptr<GroupRouter>> made{};  ///< those of them that are new
  std::set<const SyncGroup*> kept{};                                  ///< groups that go on
  std::set<const SyncGroup*> different{};                             ///< of those: with other routers than before
};

Routers::Routers(net::Loop& loop, net::Host& host, Listener& listener, Options options)
    : context_{.loop = loop,
               .host = host,
               .sockets = SharedSockets(loop, host),
               .sysctls = net::Sysctls(host, std::move(options.settings)),
               .listener = listener,
               .inhibit_reason = std::move(options.inhibit_reason)} {
  // Not from within: whoever fed the group may hold on to it.
  context_.on_group_stopped = [this] {
    context_.loop.cancel(
        std::exchange(forget_timer_, context_.loop.at(context_.loop.now(), [this] { forget_stopped(); })));
  };
}

Routers::~Routers() { context_.loop.cancel(forget_timer_); }

net::Result<std::unique_ptr<Routers>> Routers::start(net::Loop& loop, net::Host& host, DesiredRouters desired,
                                                     Listener& listener, Options options) {
  if (auto opened = host.open(); !opened) return std::unexpected(opened.error());
  loop.read_clock();  // nobody was listened to before
  std::unique_ptr<Routers> routers(new Routers(loop, host, listener, std::move(options)));
  auto links = host.follow_links(loop, [self = routers.get()](const std::string& name) {
    for (const auto& group : self->groups_) group->on_link_change(name);
  });
  if (!links) return std::unexpected(links.error());
  routers->context_.links = std::move(*links);
  routers->update(std::move(desired));
  return routers;
}

GroupRouter* Routers::find_same(const Spec& spec) const {
  const auto found = std::ranges::find_if(order_, [&](const GroupRouter* it) {
    const Spec& known = it->router.spec();
    return known.router_id == spec.router_id && known.interface == spec.interface && known.family() == spec.family() &&
           known.virtual_mac == spec.virtual_mac;
  });
  return found == order_.end() ? nullptr : *found;
}

GroupRouter* Routers::find(const std::string& name) const {
  const auto found = std::ranges::find(
      order_, name, [](const GroupRouter* it) -> const std::string& { return it->router.spec().name; });
  return found == order_.end() ? nullptr : *found;
}

void Routers::update(DesiredRouters desired) {
  Update next{.desired = std::move(desired)};
  for (const Spec& spec : next.desired.specs) {
    auto* router = find_same(spec);
    if (router == nullptr) {
      auto made = std::make_unique<GroupRouter>(Router(context_.loop, context_.host, context_.sockets, spec));
      router = made.get();
      next.made.emplace(router, std::move(made));
    }
    next.routers.push_back(router);
  }
  set_conditions(next);
  order_ = next.routers;
  note_virtual_addresses(next);
  regroup(next);
  std::map<const GroupRouter*, const Spec*> spec_of;
  for (std::size_t i = 0; i < next.routers.size(); ++i) spec_of[next.routers[i]] = &next.desired.specs[i];
  std::vector<SyncGroup*> begun;
  for (const auto& group : groups_) {
    if (group->members().empty() || !spec_of.contains(group->members().front().get())) continue;  // it goes
    if (!next.kept.contains(group.get())) {
      begun.push_back(group.get());
      continue;
    }
    std::vector<Spec> specs;
    for (const auto& member : group->members())
      specs.push_back(*net::must_find(spec_of, member.get(), "a group that stays has only routers of the new list"));
    group->reconfigure(specs, next.different.contains(group.get()));
  }
  for (SyncGroup* group : begun) group->start();
  sweep_routes();
}

/// All are known before any is applied, since those of a group add up. Routers that run apply them with the parameters
/// that its peers know.
void Routers::set_conditions(const Update& next) {
  std::set<SyncGroup*> told;
  for (std::size_t i = 0; i < next.routers.size(); ++i) {
    const auto said = next.desired.conditions.find(next.desired.specs[i].name);
    if (said == next.desired.conditions.end()) continue;
    next.routers[i]->conditions = said->second;
    if (next.routers[i]->group != nullptr) told.insert(next.routers[i]->group);
  }
  for (const auto& group : groups_) {
    if (told.contains(group.get())) group->apply_conditions("the cluster file changed");
  }
}

/// Those that go still hold theirs.
void Routers::note_virtual_addresses(const Update& next) {
  context_.virtual_addresses.clear();
  const auto note = [&](const Spec& spec) {
    for (const VirtualAddress& address : spec.addresses) context_.virtual_addresses.insert(address.prefix.address);
  };
  std::ranges::for_each(next.desired.specs, note);
  for (const auto& group : groups_) {
    for (const auto& member : group->members()) note(member->router.spec());
  }
}

/// Each group of the new list becomes that of its first router that was there, and what is left goes: a group of which
/// nothing stays hands over and stops, a router that leaves its group alone goes with a farewell.
void Routers::regroup(Update& next) {
  const std::set<const GroupRouter*> named(next.routers.begin(), next.routers.end());
  struct Before {
    SyncGroup* group;
    std::vector<GroupRouter*> members;
    std::map<const GroupRouter*, MemberState> known;
  };
  std::vector<Before> all_before;  // in their order: what goes says so in the same one each time
  std::map<const GroupRouter*, std::unique_ptr<GroupRouter>> pool = std::move(next.made);
  for (const auto& group : groups_) {
    auto [routers, known] = group->detach_members();
    auto& before = all_before.emplace_back(Before{.group = group.get(), .members = {}, .known = std::move(known)});
    for (auto& router : routers) {
      before.members.push_back(router.get());
      pool.emplace(router.get(), std::move(router));
    }
  }
  const auto take = [&](const std::vector<GroupRouter*>& members) {
    SyncGroup::Members taken;
    for (GroupRouter* it : members) taken.push_back(std::move(net::must_find(pool, it, "a router is in one group")));
    return taken;
  };

  for (const auto& places : next.desired.groups) {
    std::vector<GroupRouter*> members;
    for (const std::size_t i : places) members.push_back(next.routers[i]);
    const auto was_there = std::ranges::find_if(
        members, [&](const GroupRouter* it) { return it->group != nullptr && !next.kept.contains(it->group); });
    // Of a router that was there, the group is still the old one; attach_members() below sets it.
    if (was_there == members.end()) {
      groups_.emplace_back(std::make_unique<SyncGroup>(context_))->attach_members(take(members), {});
      continue;
    }
    SyncGroup* group = (*was_there)->group;
    const auto before = std::ranges::find(all_before, group, &Before::group);
    next.kept.insert(group);
    if (before->members != members) next.different.insert(group);
    group->attach_members(take(members), before->known);
  }

  for (const auto& [group, members, known] : all_before) {
    const bool some_stay = std::ranges::any_of(members, [&](const GroupRouter* it) { return named.contains(it); });
    if (next.kept.contains(group) || some_stay) {
      for (GroupRouter* it : members) {
        if (!named.contains(it)) group->remove_member(*it);
      }
      if (!next.kept.contains(group)) std::erase_if(groups_, [&](const auto& each) { return each.get() == group; });
    } else {
      group->attach_members(take(members), known);
      group->stop("removed from the cluster file");
    }
  }
  forget_stopped();
}

/// Routes that an earlier life left, or this one set, and that no router has any more.
void Routers::sweep_routes() {
  const auto own = context_.host.own_routes();
  if (!own) return;  // the next update sweeps again
  std::set<net::RouteEntry> desired;
  for (const auto& group : groups_) {
    for (const auto& member : group->members()) {
      const auto routes = member->router.routes(*context_.links);
      desired.insert(routes.begin(), routes.end());
    }
  }
  for (const net::RouteEntry& route : *own) {
    if (!desired.contains(route)) std::ignore = context_.host.drop_route(route);
  }
}

/// Groups that were told to stop for good, and have.
void Routers::forget_stopped() {
  const auto is_listed = [this](const std::unique_ptr<GroupRouter>& it) {
    return std::ranges::find(order_, it.get()) != order_.end();
  };
  for (const auto& group : groups_) {
    if (group->is_stopped()) group->remove_interfaces();
  }
  std::erase_if(groups_, [&](const auto& group) {
    return group->is_stopped() && std::ranges::none_of(group->members(), is_listed);
  });
  if (!std::ranges::all_of(groups_, &SyncGroup::is_stopped,
                           [](const auto& group) -> const SyncGroup& { return *group; }))
    return;
  context_.sysctls.restore();
  if (std::exchange(stopping_, false)) context_.listener.on_stopped();
}

void Routers::set_identity(Identity self) { context_.self = std::move(self); }

void Routers::end_inhibit(const std::string& why) {
  context_.inhibit_reason.clear();
  for (const auto& group : groups_) group->end_inhibit(why);
}

void Routers::demote(const std::string& router, const std::string& reason) {
  auto* it = find(router);
  if (it == nullptr || std::exchange(it->conditions.demotion, reason) == reason) return;
  it->group->apply_conditions(reason);
}

void Routers::set_priority_penalty(const std::string& router, int penalty, const std::string& cause) {
  auto* it = find(router);
  if (it == nullptr || std::exchange(it->conditions.priority_penalty, penalty) == penalty) return;
  it->group->apply_conditions(cause);
}

void Routers::fault(const std::string& router, const std::string& reason) {
  auto* it = find(router);
  if (it == nullptr) return;
  it->conditions.fault = reason;
  it->group->apply_fault();
}

net::Result<> Routers::may_hand_over(const std::string& router) const {
  const auto* it = find(router);
  if (it == nullptr) return net::failure(fmt::format("there is no virtual router {}", router));
  return it->group->may_hand_over(router);
}

net::Result<> Routers::hand_over(const std::string& router) {
  if (auto may = may_hand_over(router); !may) return may;
  net::must_exist(find(router), "a router that may hand over is there").group->hand_over();
  return {};
}

std::vector<Status> Routers::status() const {
  std::vector<Status> all;
  for (const GroupRouter* it : order_) all.push_back(it->group->status(*it));
  return all;
}

void Routers::stop() {
  stopping_ = true;
  for (const auto& group : groups_) group->stop("stopped");
  forget_stopped();
}

void Routers::renew_before_exec() {
  for (const auto& group : groups_) group->renew();
}

}  // namespace vrrp
