#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "checkers/probe.h"
#include "net/background.h"

namespace checkers {

/// Does a probe's slow work in a thread. Of all probes only some do theirs at a time, and the others wait: servers
/// whose answers are hard to search must not take all processors from the loop.
class WorkThread {
 public:
  static constexpr int at_a_time = 2;

  /// One of the two is called on the loop; the last is the probe's result where there is no memory for the work.
  using OnDone = std::move_only_function<void(Proceed)>;
  using OnFailed = std::move_only_function<void(Result)>;

  /// `loop` must outlive this. Destroying this abandons the work.
  explicit WorkThread(net::Loop& loop) : loop_(loop) {}

  /// Not while busy(). The probe's result, where no work can begin.
  std::optional<Result> begin(SlowWork work, const std::string& doing, OnDone on_done, OnFailed on_failed);
  [[nodiscard]] bool busy() const { return thread_ && thread_->busy(); }

  /// A probe whose time is over while its work has not ended: no failure of its server, which has answered.
  [[nodiscard]] static Result timed_out(const std::string& doing, net::Duration timeout);

 private:
  net::Loop& loop_;
  std::unique_ptr<net::Background> thread_;  ///< once there was work
};

}  // namespace checkers
