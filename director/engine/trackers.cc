#include "director/engine/trackers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "net/check.h"
#include "net/host.h"

namespace director {
namespace {

constexpr std::string_view known_state = "each tracker of a router has a state";

checkers::Key key_of(const checkers::Spec& spec) { return checkers::make_key(spec, {}); }

}  // namespace

Trackers::Trackers(net::Loop& loop, net::Host& host, OnVerdict on_verdict, checkers::MakeProber make_prober,
                   checkers::LocalFaults::OnChange on_local_fault)
    : loop_(loop),
      host_(host),
      on_verdict_(std::move(on_verdict)),
      checkers_(
          loop,
          [this](const checkers::Report& report) {
            if (report.change == checkers::HealthChange::changed) reevaluate();
          },
          std::move(make_prober), std::move(on_local_fault)) {}

net::Result<> Trackers::open(const config::Cluster& cluster) {
  const auto watches_link = [](const config::Tracker& tracker) { return !tracker.link.empty(); };
  const bool links = std::ranges::any_of(cluster.virtual_routers, [&](const config::VirtualRouter& router) {
    return std::ranges::any_of(router.trackers, watches_link);
  });
  if (!links || links_) return {};
  auto followed = host_.follow_links(loop_, [this](const std::string&) { reevaluate(); });
  if (!followed) return std::unexpected(followed.error());
  links_ = std::move(*followed);
  return {};
}

void Trackers::set(const config::Cluster& cluster) {
  std::vector<checkers::Key> keys;
  for (const auto& router : cluster.virtual_routers) {
    for (const auto& tracker : router.trackers) {
      if (tracker.check) keys.push_back(key_of(*tracker.check));
    }
  }
  routers_ = cluster.virtual_routers;
  checkers_.set(keys);
  auto known = std::exchange(states_, {});
  verdicts_.clear();
  for (const auto& router : routers_) {
    states_[router.name] = states_of(router, known[router.name]);
    verdicts_[router.name] = verdict_of(states_[router.name], router);
  }
}

/// As it is now; `since` is when that was found.
Trackers::Status Trackers::status_of(const config::Tracker& tracker) const {
  using checkers::HealthState;
  Status status{.name = tracker.name, .since = loop_.now(), .lower = tracker.lower};
  if (!tracker.link.empty()) {
    const auto* link = links_ ? links_->find(tracker.link) : nullptr;
    status.state = link != nullptr && link->up ? HealthState::up : HealthState::down;
    status.reason = link == nullptr ? fmt::format("there is no interface {}", tracker.link)
                                    : fmt::format("link {} is {}", tracker.link, link->up ? "up" : "down");
    return status;
  }
  const auto* health = tracker.check ? checkers_.find(key_of(*tracker.check)) : nullptr;
  if (health == nullptr) return status;
  status.state = health->state;
  status.since = health->since;
  status.reason = health->last;
  return status;
}

Trackers::Verdict Trackers::verdict_of(const States& states, const config::VirtualRouter& router) {
  Verdict verdict;
  for (const auto& tracker : router.trackers) {
    const auto& status = net::must_find(states, tracker.name, known_state);
    if (status.state != checkers::HealthState::down) continue;
    if (tracker.lower > 0) {
      verdict.lower += tracker.lower;
    } else if (verdict.fault.empty()) {
      verdict.fault = fmt::format("{}: {}", tracker.name, status.reason);
    }
  }
  return verdict;
}

Trackers::States Trackers::states_of(const config::VirtualRouter& router, const States& known) const {
  States states;
  for (const auto& tracker : router.trackers) {
    auto now = status_of(tracker);
    const auto before = known.find(tracker.name);
    if (before != known.end() && before->second.state == now.state) now.since = before->second.since;
    states.insert_or_assign(tracker.name, std::move(now));
  }
  return states;
}

namespace {

/// What failed and what passes again: "uplink: link eth1 is down, gateway passes again".
template <class States>
std::string difference(const States& before, const States& after) {
  std::vector<std::string> changed;
  for (const auto& [name, now] : after) {
    const auto known = before.find(name);
    const bool failed = now.state == checkers::HealthState::down;
    const bool had_failed = known != before.end() && known->second.state == checkers::HealthState::down;
    if (failed && !had_failed) changed.push_back(fmt::format("{}: {}", name, now.reason));
    if (!failed && had_failed) changed.push_back(name + " passes again");
  }
  return fmt::format("{}", fmt::join(changed, ", "));
}

}  // namespace

void Trackers::reevaluate() {
  for (const auto& router : routers_) {
    auto& states = states_[router.name];
    const auto before = std::exchange(states, states_of(router, states));
    const auto verdict = verdict_of(states, router);
    if (std::exchange(verdicts_[router.name], verdict) == verdict) continue;
    on_verdict_(router.name, verdict, difference(before, states));
  }
}

std::vector<Trackers::Status> Trackers::status(const std::string& router) const {
  std::vector<Status> all;
  const auto known = std::ranges::find(routers_, router, &config::VirtualRouter::name);
  const auto states = states_.find(router);
  if (known == routers_.end() || states == states_.end()) return all;
  for (const auto& tracker : known->trackers) {
    auto status = net::must_find(states->second, tracker.name, known_state);
    status.reason = status_of(tracker).reason;  // the last probe's word, which may be newer than the state
    all.push_back(std::move(status));
  }
  return all;
}

}  // namespace director
