#include "director/engine/virtual_routers.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "net/check.h"
#include "net/host.h"
#include "vrrp/routers.h"

namespace director {
namespace {

/// How often a node that is not ready looks whether it is.
constexpr auto look_again = std::chrono::milliseconds(20);

EventKind kind_of(vrrp::Notice::Kind kind) {
  switch (kind) {
    case vrrp::Notice::Kind::fault:
      return EventKind::router_fault;
    case vrrp::Notice::Kind::advert:
      return EventKind::router_advert;
    case vrrp::Notice::Kind::no_successor:
      return EventKind::router_unrelieved;
    case vrrp::Notice::Kind::stalled:
      return EventKind::router_stalled;
    case vrrp::Notice::Kind::demoted:
      return EventKind::router_gives_up;
    case vrrp::Notice::Kind::demotion_ended:
      return EventKind::router_may_lead;
    case vrrp::Notice::Kind::priority_lowered:
      return EventKind::router_lowered;
    case vrrp::Notice::Kind::priority_raised:
      return EventKind::router_raised;
    case vrrp::Notice::Kind::checksum:
      return EventKind::router_checksum;
  }
  return EventKind::router_advert;
}

std::chrono::milliseconds longest_wait(const config::Cluster& cluster) {
  std::chrono::milliseconds longest{};
  for (const auto& router : cluster.virtual_routers) longest = std::max(longest, router.ready_within);
  return longest;
}

}  // namespace

VirtualRouters::VirtualRouters(net::Loop& loop, net::Host& host, Hooks hooks, checkers::MakeProber make_prober,
                               std::filesystem::path settings)
    : loop_(loop),
      host_(host),
      hooks_(std::move(hooks)),
      settings_(std::move(settings)),
      trackers_(
          loop, host,
          [this](const std::string& router, const auto& verdict, const std::string& cause) {
            if (!routers_) return;
            routers_->set_priority_penalty(router, verdict.lower, cause);
            look_at(router);
          },
          std::move(make_prober),
          [this](const checkers::LocalFault& fault, bool begins) {
            hooks_.report(events::local_fault(fault, begins));
          }) {}

VirtualRouters::~VirtualRouters() { loop_.cancel(ready_timer_); }

/// What holds of each router from its first advert on.
void VirtualRouters::set_conditions(vrrp::DesiredRouters& desired, const config::Cluster& cluster) {
  trackers_.set(cluster);
  give_up_when_.clear();
  applied_.clear();
  alone_ = cluster.nodes.size() < 2;
  for (const auto& router : cluster.virtual_routers) {
    give_up_when_[router.name] = router.give_up_when;
    const auto& verdict =
        net::must_find(trackers_.verdicts(), router.name, "the trackers know each router of the cluster file");
    desired.conditions[router.name] = {
        .fault = verdict.fault, .demotion = demotion(router.name), .priority_penalty = verdict.lower};
    applied_[router.name] = desired.conditions[router.name];
  }
}

/// Why a router must give up; empty where it need not.
std::string VirtualRouters::demotion(const std::string& router) const {
  if (auto why = hooks_.table_lost(); !why.empty()) return why;
  if (auto why = hooks_.resources_failed(router); !why.empty()) return why;
  const auto& services = net::must_find(give_up_when_, router, "conditions are of routers of the cluster file");
  const auto lost = std::ranges::find_if(services, hooks_.below_quorum);
  return lost == services.end() ? "" : fmt::format("service {} is below its quorum", *lost);
}

void VirtualRouters::look_at_services() {
  if (!routers_) return;
  for (const auto& [router, services] : give_up_when_) look_at(router);
}

/// What keeps a router from leading, as it is now; its priority is another matter.
vrrp::Conditions VirtualRouters::conditions(const std::string& router) const {
  const auto& verdict =
      net::must_find(trackers_.verdicts(), router, "the trackers know each router of the cluster file");
  return {.fault = verdict.fault, .demotion = demotion(router)};
}

/// A router that is to give up does so when nothing that follows its role runs any more.
void VirtualRouters::look_at(const std::string& router) {
  if (!gives_up(router)) return apply(router);
  if (!leaving_.insert(router).second) return;
  hooks_.release(router, [this, router] {
    leaving_.erase(router);
    if (!give_up_when_.contains(router)) return;  // a reload took it away
    const bool still = gives_up(router);
    apply(router);
    if (!still || alone_) hooks_.on_unrelieved(router);
  });
}

bool VirtualRouters::gives_up(const std::string& router) const {
  const auto now = conditions(router);
  const auto& before = net::must_find(applied_, router, "conditions are of routers of the cluster file");
  return (before.fault.empty() && !now.fault.empty()) || (before.demotion.empty() && !now.demotion.empty());
}

void VirtualRouters::apply(const std::string& router) {
  const auto now = applied_[router] = conditions(router);
  routers_->demote(router, now.demotion);
  routers_->fault(router, now.fault);
}

net::Result<> VirtualRouters::start(const config::Cluster& cluster, const config::Node& node,
                                    std::vector<vrrp::Spec> routers) {
  auto prepared = prepare(cluster, node, std::move(routers));
  if (!prepared) return std::unexpected(prepared.error());
  set_conditions(prepared->desired, cluster);
  node_ = std::move(prepared->node);
  const auto wait = longest_wait(cluster);
  const std::string not_ready = wait > wait.zero() ? hooks_.not_ready() : "";
  auto started = vrrp::Routers::start(loop_, host_, std::move(prepared->desired), *this,
                                      {.inhibit_reason = not_ready, .settings = settings_});
  if (!started) return std::unexpected(started.error());
  routers_ = std::move(*started);
  ready_by_ = loop_.now() + wait;
  if (!not_ready.empty()) look_whether_ready();
  return {};
}

void VirtualRouters::look_whether_ready() {
  ready_timer_ = 0;
  const auto not_ready = hooks_.not_ready();
  if (not_ready.empty())
    return routers_->end_inhibit("ready: rules in the kernel, services checked or already in service");
  if (loop_.now() < ready_by_) {
    ready_timer_ = loop_.after(look_again, [this] { look_whether_ready(); });
    return;
  }
  hooks_.report(events::router_not_ready(not_ready));
  routers_->end_inhibit("ready_within expired");
}

void VirtualRouters::set_identity(const vrrp::Identity& self) {
  if (routers_) routers_->set_identity(self);
}

net::Result<VirtualRouters::Prepared> VirtualRouters::prepare(const config::Cluster& cluster, const config::Node& node,
                                                              std::vector<vrrp::Spec> routers) {
  auto desired = vrrp::prepare(host_, std::move(routers), cluster.groups);
  if (!desired) return std::unexpected(desired.error());
  if (auto opened = trackers_.open(cluster); !opened) return std::unexpected(opened.error());
  return Prepared{.desired = std::move(*desired), .node = node.name};
}

void VirtualRouters::adopt(Prepared prepared, const config::Cluster& cluster) {
  if (!routers_) return;
  set_conditions(prepared.desired, cluster);
  node_ = std::move(prepared.node);
  routers_->update(std::move(prepared.desired));
}

void VirtualRouters::stop(std::function<void()> on_stopped) {
  loop_.cancel(ready_timer_);
  if (!routers_) return on_stopped();
  on_stopped_ = std::move(on_stopped);
  routers_->stop();
}

void VirtualRouters::keep_for_next_process() {
  if (routers_) routers_->renew_before_exec();
}

RequestResult<std::string> VirtualRouters::hand_over(const config::Cluster& cluster, const std::string& router,
                                                     const std::optional<std::string>& to) {
  const auto refuse = [](RequestError::Kind kind, std::string why) {
    return std::unexpected(RequestError{.kind = kind, .message = std::move(why)});
  };
  using enum RequestError::Kind;
  const auto asked = std::ranges::find(cluster.virtual_routers, router, &config::VirtualRouter::name);
  if (asked == cluster.virtual_routers.end()) {
    return refuse(not_found, fmt::format("there is no virtual router {} in cluster {}", router, cluster.name));
  }
  if (to && config::find_node(cluster, *to) == nullptr) {
    return refuse(not_found, fmt::format("there is no node {} in cluster {}", *to, cluster.name));
  }
  if (!routers_) return refuse(conflict, fmt::format("virtual router {} does not run in a dry run", router));
  // VRRP has no words for a successor: the peers know by the cluster file who it is.
  std::vector<config::Node> others = cluster.nodes;
  std::erase_if(others, [&](const config::Node& node) { return node.name == node_; });
  std::ranges::stable_sort(others, std::greater{},
                           [&](const config::Node& node) { return config::priority_of(*asked, node); });
  if (to && (others.empty() || others.front().name != *to)) {
    return refuse(conflict, fmt::format("{} is not the next node by the priorities in the cluster file: that is {}",
                                        *to, others.empty() ? "nobody" : others.front().name));
  }
  if (auto may = routers_->may_hand_over(router); !may) return refuse(conflict, may.error().message);
  net::check(!others.empty(), "a failover needs another node");
  // Not master any more by then: the role has gone already.
  hooks_.release(router, [this, router] { std::ignore = routers_->hand_over(router); });
  return fmt::format("{}: failover to {} requested; the role stays here if nobody takes over", router,
                     others.front().name);
}

std::vector<vrrp::Status> VirtualRouters::status() const {
  return routers_ ? routers_->status() : std::vector<vrrp::Status>{};
}

void VirtualRouters::on_transition(const vrrp::Transition& transition) {
  const bool fault = transition.to == vrrp::RouterState::initialize && !transition.stopped;
  hooks_.on_transition(transition);
  hooks_.report(events::router_role(transition.router, vrrp::to_string(transition.from), vrrp::to_string(transition.to),
                                    transition.reason, fault));
}

void VirtualRouters::on_error(const std::string& router, const net::Error& error) {
  hooks_.report(events::router_notice(EventKind::router_error, router, error.message));
}

void VirtualRouters::on_notice(const std::string& router, const vrrp::Notice& notice) {
  if (notice.kind == vrrp::Notice::Kind::no_successor) hooks_.on_unrelieved(router);
  hooks_.report(events::router_notice(kind_of(notice.kind), router, notice.text));
}

void VirtualRouters::on_peer_identity(const vrrp::Identity& other, const net::Address& from) {
  hooks_.on_peer_identity(other, from);
}

void VirtualRouters::on_stopped() {
  if (on_stopped_) std::exchange(on_stopped_, {})();
}

}  // namespace director
