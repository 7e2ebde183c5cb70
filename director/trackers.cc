#include "director/trackers.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace director {
namespace {

checkers::Key key_of(const checkers::Spec& spec) { return checkers::aim(spec, {}); }

}  // namespace

Trackers::Trackers(net::Loop& loop, OnVerdict on_verdict)
    : loop_(loop), on_verdict_(std::move(on_verdict)), checkers_(loop, [this](const checkers::Report& report) {
        if (report.change == checkers::Change::changed) look();
      }) {}

net::Result<> Trackers::open(const config::Cluster& cluster) {
  const auto watches_link = [](const config::Tracker& tracker) { return !tracker.link.empty(); };
  const bool links = std::ranges::any_of(cluster.virtual_routers, [&](const config::VirtualRouter& router) {
    return std::ranges::any_of(router.trackers, watches_link);
  });
  if (!links || links_) return {};
  auto followed = net::Links::follow(loop_, [this](const std::string&) { look(); });
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
  verdicts_.clear();
  for (const auto& router : routers_) verdicts_[router.name] = verdict_of(router);
}

/// "" where it does not fail.
std::string Trackers::failure_of(const config::Tracker& tracker) const {
  if (!tracker.link.empty()) {
    const auto* link = links_ ? links_->find(tracker.link) : nullptr;
    if (link == nullptr) return fmt::format("{}: there is no interface {}", tracker.name, tracker.link);
    return link->up ? "" : fmt::format("{}: link {} is down", tracker.name, tracker.link);
  }
  const auto* health = tracker.check ? checkers_.find(key_of(*tracker.check)) : nullptr;
  if (health == nullptr || health->state != checkers::State::down) return "";
  return fmt::format("{}: {}", tracker.name, health->last);
}

Trackers::Verdict Trackers::verdict_of(const config::VirtualRouter& router) const {
  Verdict verdict;
  for (const auto& tracker : router.trackers) {
    const auto failure = failure_of(tracker);
    if (failure.empty()) continue;
    if (tracker.lower > 0) {
      verdict.lower += tracker.lower;
    } else if (verdict.fault.empty()) {
      verdict.fault = failure;
    }
  }
  return verdict;
}

void Trackers::look() {
  for (const auto& router : routers_) {
    const auto verdict = verdict_of(router);
    if (std::exchange(verdicts_[router.name], verdict) != verdict) on_verdict_(router.name, verdict);
  }
}

}  // namespace director
