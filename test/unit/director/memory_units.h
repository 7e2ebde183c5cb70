#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "director/resources/service_units.h"
#include "net/loop.h"

namespace director_test {

/// A host's units, which outlive the director: what runs goes on when it ends.
struct UnitsOfHost {
  std::map<std::string, director::UnitState> states;
  std::vector<std::string> log;   ///< "start a.service"
  std::set<std::string> failing;  ///< those that do not start
  std::set<std::string> hanging;  ///< those that never stop
  bool reachable = true;
};

/// Starts and stops take a turn of the loop.
class MemoryUnits : public director::ServiceUnits {
 public:
  MemoryUnits(net::Loop& loop, UnitsOfHost& host, Callbacks callbacks)
      : loop_(loop), host_(host), callbacks_(std::move(callbacks)) {
    if (!host_.reachable) later([this] { callbacks_.on_lost("connect to the system bus: Connection refused"); });
  }
  ~MemoryUnits() override {
    for (const auto timer : timers_) loop_.cancel(timer);
  }
  MemoryUnits(const MemoryUnits&) = delete;
  MemoryUnits& operator=(const MemoryUnits&) = delete;

  void watch(std::set<std::string> units) override {
    watched_ = std::move(units);
    if (host_.reachable) later([this] { tell(); });
  }
  void start(const std::string& unit) override {
    host_.log.push_back("start " + unit);
    later([this, unit] {
      const bool good = !host_.failing.contains(unit);
      end(unit, good ? "" : "failed", good ? director::UnitState::active : director::UnitState::failed);
    });
  }
  void stop(const std::string& unit) override {
    host_.log.push_back("stop " + unit);
    if (host_.hanging.contains(unit)) return;
    later([this, unit] { end(unit, "", director::UnitState::inactive); });
  }
  [[nodiscard]] std::string problem() const override { return ""; }

  /// Tells all states, as after a change.
  void tell() {
    for (const auto& unit : watched_) {
      const auto state = host_.states.try_emplace(unit, director::UnitState::inactive).first->second;
      callbacks_.on_state(unit, state);
    }
  }
  [[nodiscard]] const std::set<std::string>& watched() const { return watched_; }

 private:
  void end(const std::string& unit, const std::string& error, director::UnitState state) {
    host_.states[unit] = state;
    callbacks_.on_job_end(unit, error, state);
  }
  void later(std::function<void()> what) { timers_.push_back(loop_.at(loop_.now(), std::move(what))); }

  net::Loop& loop_;
  UnitsOfHost& host_;
  Callbacks callbacks_;
  std::set<std::string> watched_;
  std::vector<net::Loop::Id> timers_;
};

}  // namespace director_test
