#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "director/resources/unit_state.h"

namespace net {
class Loop;
}  // namespace net

namespace director {

/// The units of this host's service manager: systemd's, or a test's in memory. Nothing here waits; what happens is told
/// on the loop, never from within a call of this.
class ServiceUnits {
 public:
  struct Callbacks {
    /// A watched unit's state, each time that it is read.
    std::function<void(const std::string& unit, UnitState state)> on_state;
    /// The last start or stop that was asked for has ended; `error` is empty if it was done. The state is the one after
    /// it.
    std::function<void(const std::string& unit, const std::string& error, UnitState state)> on_job_end;
    /// The service manager cannot be reached, and why; the ends of jobs under way are not told any more. Once it can be
    /// again, the states are told.
    std::function<void(const std::string& why)> on_lost;
  };

  virtual ~ServiceUnits() = default;

  /// Tells the states of these units, and of no others, from now on.
  virtual void watch(std::set<std::string> units) = 0;

  /// Asks for it; a job of that unit that is under way is replaced, and its end not told.
  virtual void start(const std::string& unit) = 0;
  virtual void stop(const std::string& unit) = 0;

  /// Why the service manager cannot be reached; empty while it can.
  [[nodiscard]] virtual std::string problem() const = 0;
};

using MakeServiceUnits =
    std::function<std::unique_ptr<ServiceUnits>(net::Loop& loop, ServiceUnits::Callbacks callbacks)>;

}  // namespace director
