#include "director/engine/role_resources.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace director {
namespace {

/// How often a node whose role is not settled looks whether it has heard a master.
constexpr std::chrono::seconds look_pause{1};

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

RoleResources::RoleResources(net::Loop& loop, Hooks hooks, MakeServiceUnits make_units)
    : loop_(loop), hooks_(std::move(hooks)), make_units_(std::move(make_units)) {}

RoleResources::~RoleResources() {
  for (const auto timer : {timer_, later_timer_, look_timer_}) loop_.cancel(timer);
}

/// A sync group, or a router alone; those with resources.
std::vector<RoleResources::Group> RoleResources::groups_of(const config::Cluster& cluster) {
  std::vector<Group> groups;
  for (const auto& router : cluster.virtual_routers) {
    if (std::ranges::any_of(groups, [&](const Group& group) { return holds(group.routers, router.name); })) continue;
    Group group{.routers = config::sync_group_of(cluster, router.name), .owners = {}};
    for (const auto& member : cluster.virtual_routers) {
      if (holds(group.routers, member.name))
        group.owners.insert(group.owners.end(), member.resources.size(), member.name);
    }
    if (!group.owners.empty()) groups.push_back(std::move(group));
  }
  return groups;
}

bool RoleResources::share_a_router(const Group& one, const Group& other) {
  return std::ranges::any_of(one.routers, [&](const auto& name) { return holds(other.routers, name); });
}

void RoleResources::set(const config::Cluster& cluster) {
  if (!make_units_) return;
  auto before = std::exchange(groups_, groups_of(cluster));
  if (groups_.empty()) {
    units_.reset();
    lost_.clear();
  } else if (!units_) {
    units_ = make_units_(loop_, unit_callbacks());
  }
  std::set<std::string> names;
  for (const auto& router : cluster.virtual_routers) {
    for (const auto& resource : router.resources) names.insert(resource.unit);
  }
  if (units_) units_->watch(std::move(names));
  for (auto& group : groups_) {
    const auto same = std::ranges::find_if(before, [&](const Group& it) { return share_a_router(it, group); });
    if (same != before.end()) {
      group.units = std::move(same->units);
      group.leads = same->leads;
      group.when_released = std::exchange(same->when_released, {});
    }
    adopt(group, cluster);
  }
  for (auto& gone : before) {
    for (auto& then : gone.when_released) later(std::move(then));
  }
  arm();
  if (look_timer_ == 0 && !groups_.empty()) look_for_masters();
}

/// Resources that a reload brings begin in the role that the router has.
void RoleResources::adopt(Group& group, const config::Cluster& cluster) {
  std::vector<config::Resource> specs;
  for (const auto& router : cluster.virtual_routers) {
    if (holds(group.routers, router.name)) specs.insert(specs.end(), router.resources.begin(), router.resources.end());
  }
  perform(group, group.units.set(specs, loop_.now()));
  if (!group.units.unasked()) return;
  for (const auto& router : hooks_.routers()) {
    if (!holds(group.routers, router.spec.name) || router.state != vrrp::RouterState::master) continue;
    group.leads = true;
    return perform(group, group.units.gain(loop_.now(), loop_.now()));
  }
}

RoleResources::Group* RoleResources::find(const std::string& router) {
  const auto found = std::ranges::find_if(groups_, [&](const Group& group) { return holds(group.routers, router); });
  return found == groups_.end() ? nullptr : &*found;
}

const RoleResources::Group* RoleResources::find(const std::string& router) const {
  const auto found = std::ranges::find_if(groups_, [&](const Group& group) { return holds(group.routers, router); });
  return found == groups_.end() ? nullptr : &*found;
}

ServiceUnits::Callbacks RoleResources::unit_callbacks() {
  const auto found_again = [this] {
    if (!std::exchange(lost_, {}).empty()) hooks_.report(events::systemd_found());
  };
  return {.on_state =
              [this, found_again](const std::string& unit, UnitState state) {
                found_again();
                with_unit(unit, [&](Group& group, std::size_t resource) {
                  perform(group, group.units.update(resource, state, loop_.now()));
                });
              },
          .on_job_end =
              [this](const std::string& unit, const std::string& error, UnitState state) {
                with_unit(unit, [&](Group& group, std::size_t resource) {
                  perform(group, group.units.end_job(resource, error, state, loop_.now()));
                });
              },
          .on_lost = [this](const std::string& why) { lost(why); }};
}

void RoleResources::with_unit(const std::string& unit,
                              const std::function<void(Group& group, std::size_t resource)>& then) {
  for (auto& group : groups_) {
    const auto& all = group.units.resources();
    const auto found = std::ranges::find(all, unit, [](const auto& it) -> const std::string& { return it.spec.unit; });
    if (found != all.end()) return then(group, static_cast<std::size_t>(found - all.begin()));
  }
}

void RoleResources::lost(const std::string& why) {
  for (auto& group : groups_) group.units.lose_sight(loop_.now());
  arm();
  if (std::exchange(lost_, why).empty()) hooks_.report(events::systemd_lost(why));
}

void RoleResources::on_transition(const vrrp::Transition& transition) {
  Group* group = find(transition.router);
  if (group == nullptr) return;
  const bool leads = transition.to == vrrp::RouterState::master;
  if (leads == group->leads) return;
  group->leads = leads;
  perform(*group, leads ? group->units.gain(start_from(*group), loop_.now()) : group->units.lose(loop_.now()));
}

void RoleResources::on_unrelieved(const std::string& router) {
  Group* group = find(router);
  if (group != nullptr && group->leads) perform(*group, group->units.gain(loop_.now(), loop_.now()));
}

/// A master that resigned has stopped its units; of one that went silent they may still run.
net::Instant RoleResources::start_from(const Group& group) const {
  auto from = loop_.now();
  for (const auto& router : hooks_.routers()) {
    if (!holds(group.routers, router.spec.name)) continue;
    for (const auto& peer : router.peers) {
      if (peer.priority != 0) from = std::max(from, peer.heard + router.spec.advertise + group.units.stop_time());
    }
  }
  return from;
}

/// What an earlier process left running goes on until it is known that another node leads.
void RoleResources::look_for_masters() {
  look_timer_ = 0;
  bool unsettled = false;
  for (auto& group : groups_) {
    if (!group.units.unasked()) continue;
    const auto heard = [&](const vrrp::Status& router) {
      return holds(group.routers, router.spec.name) && router.state == vrrp::RouterState::backup &&
             std::ranges::any_of(router.peers, [](const vrrp::Peer& peer) { return peer.priority != 0; });
    };
    if (std::ranges::any_of(hooks_.routers(), heard)) {
      perform(group, group.units.lose(loop_.now()));
    } else {
      unsettled = true;
    }
  }
  if (unsettled) look_timer_ = loop_.after(look_pause, [this] { look_for_masters(); });
}

void RoleResources::release(const std::string& router, std::function<void()> then) {
  Group* group = find(router);
  if (group == nullptr || !group->leads) return then();
  group->when_released.push_back(std::move(then));
  perform(*group, group->units.leave(loop_.now()));
}

void RoleResources::release_all(const std::function<void()>& then) {
  auto left = std::make_shared<std::size_t>(1);
  const auto one_done = [left, then] {
    if (--*left == 0) then();
  };
  for (auto& group : groups_) {
    if (!group.leads) continue;
    ++*left;
    release(group.routers.front(), one_done);
  }
  one_done();
}

void RoleResources::perform(Group& group, const ResourceGroup::Actions& actions) {
  using Kind = ResourceGroup::Action::Kind;
  for (const auto& action : actions) {
    switch (action.kind) {
      case Kind::start:
        units_->start(group.units.resources()[action.resource].spec.unit);
        break;
      case Kind::stop:
        units_->stop(group.units.resources()[action.resource].spec.unit);
        break;
      case Kind::started:
      case Kind::stopped:
      case Kind::failed:
        tell(group, action);
        break;
      case Kind::released:
        for (auto& then : std::exchange(group.when_released, {})) later(std::move(then));
        if (!action.reason.empty()) later(hooks_.on_failure_changed);
        break;
      case Kind::recovered:
        later(hooks_.on_failure_changed);
        break;
    }
  }
  arm();
}

void RoleResources::tell(const Group& group, const ResourceGroup::Action& action) {
  using Kind = ResourceGroup::Action::Kind;
  const auto kind = action.kind == Kind::started   ? EventKind::resource_started
                    : action.kind == Kind::stopped ? EventKind::resource_stopped
                                                   : EventKind::resource_failed;
  hooks_.report(events::resource(kind, group.owners[action.resource],
                                 group.units.resources()[action.resource].spec.unit, action.reason));
}

/// Not from within who tells of a transition, as the answer may be another one.
void RoleResources::later(std::function<void()> what) {
  later_.push_back(std::move(what));
  if (later_timer_ != 0) return;
  later_timer_ = loop_.at(loop_.now(), [this] {
    later_timer_ = 0;
    for (const auto& each : std::exchange(later_, {})) each();
  });
}

void RoleResources::arm() {
  loop_.cancel(std::exchange(timer_, 0));
  std::optional<net::Instant> next;
  for (const auto& group : groups_) {
    if (const auto due = group.units.deadline()) next = next ? std::min(*next, *due) : *due;
  }
  if (next) timer_ = loop_.at(*next, [this] { on_timer(); });
}

void RoleResources::on_timer() {
  timer_ = 0;
  for (auto& group : groups_) {
    if (const auto due = group.units.deadline(); due && *due <= loop_.now())
      perform(group, group.units.expire(loop_.now()));
  }
  arm();
}

std::string RoleResources::failure(const std::string& router) const {
  const Group* group = find(router);
  return group == nullptr ? "" : group->units.failure();
}

std::chrono::milliseconds RoleResources::stop_time() const {
  std::chrono::milliseconds longest{};
  for (const auto& group : groups_) longest = std::max(longest, group.units.stop_time());
  return longest;
}

std::vector<Problem> RoleResources::problems() const {
  std::vector<Problem> all;
  if (!units_) return all;
  if (const auto why = lost_.empty() ? units_->problem() : lost_; !why.empty()) {
    all.push_back({EventKind::systemd_lost, "systemd", events::systemd_problem(why)});
    return all;
  }
  for (const auto& group : groups_) {
    for (std::size_t i = 0; i < group.owners.size(); ++i) {
      const auto why = group.units.problem(group.units.resources()[i], loop_.now());
      if (why.empty()) continue;
      const auto subject = "vrrp " + group.owners[i];
      all.push_back({EventKind::resource_failed, subject, fmt::format("{}: {}", subject, why)});
    }
  }
  return all;
}

nlohmann::ordered_json RoleResources::status(const std::string& router,
                                             const std::function<net::WallTime(net::Instant)>& wall) const {
  auto list = nlohmann::ordered_json::array();
  const Group* group = find(router);
  if (group == nullptr) return list;
  for (std::size_t i = 0; i < group->owners.size(); ++i) {
    if (group->owners[i] != router) continue;
    const auto& resource = group->units.resources()[i];
    list.push_back({{"unit", resource.spec.unit},
                    {"state", to_string(resource.state)},
                    {"since", net::timestamp(wall(resource.since))},
                    {"reason", resource.reason}});
  }
  return list;
}

}  // namespace director
