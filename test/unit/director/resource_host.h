#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "director/resources/resource_group.h"

namespace director_test {

using director::ResourceGroup;
using director::UnitState;
using Kind = ResourceGroup::Action::Kind;
using namespace std::chrono_literals;
using enum director::UnitState;

inline config::Resource unit(const std::string& name, unsigned restarts = 3) {
  return {.unit = name, .start_limit = 30s, .stop_limit = 20s, .restarts = static_cast<std::uint8_t>(restarts)};
}

/// A group, the units of its host, and the time.
struct Host {
  explicit Host(std::vector<config::Resource> specs) : group(specs), states(specs.size(), inactive) {}

  ResourceGroup group;
  std::vector<UnitState> states;
  net::Instant now = net::Instant() + 1h;
  std::vector<std::string> log;  ///< "start 0", "stop 1", "failed 0", "released"

  void take(const ResourceGroup::Actions& actions) {
    for (const auto& [kind, resource, reason] : actions) {
      const char* word = kind == Kind::start      ? "start "
                         : kind == Kind::stop     ? "stop "
                         : kind == Kind::started  ? "started "
                         : kind == Kind::stopped  ? "stopped "
                         : kind == Kind::failed   ? "failed "
                         : kind == Kind::released ? "released"
                                                  : "recovered";
      log.push_back(word + (kind == Kind::released || kind == Kind::recovered ? "" : std::to_string(resource)));
    }
  }
  std::vector<std::string> told() { return std::exchange(log, {}); }
  void read() {
    for (std::size_t i = 0; i < states.size(); ++i) take(group.update(i, states[i], now));
  }
  void becomes(std::size_t i, UnitState state) { take(group.update(i, states[i] = state, now)); }
  void ends(std::size_t i, UnitState state, const std::string& error = "") {
    take(group.end_job(i, error, states[i] = state, now));
  }
  void lead() { take(group.gain(now, now)); }
  void pass(net::Duration time) {
    const auto end = now + time;
    while (const auto due = group.deadline()) {
      if (*due > end) break;
      now = std::max(now, *due);
      take(group.expire(now));
      if (group.deadline() == due) break;  // that would never end
    }
    now = end;
  }
};

using Log = std::vector<std::string>;

}  // namespace director_test
