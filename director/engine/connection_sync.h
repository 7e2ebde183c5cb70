#pragma once

#include <optional>
#include <string>

#include "config/cluster.h"
#include "director/engine/event_log.h"
#include "director/engine/state_store.h"
#include "ipvs/kernel.h"
#include "net/loop.h"

namespace director {

/// The kernel's connection sync daemons, as the cluster file says; tried again until they are: the interface may come
/// later than directord.
///
/// Both daemons run whatever the role: the master daemon sends only what this node itself forwards, and the backup
/// daemon hears only the others, so there is nothing to switch, and nothing is missed while roles change.
class ConnectionSync {
 public:
  /// All must outlive this.
  ConnectionSync(net::Loop& loop, ipvs::Kernel& kernel, EventLog& log, StateStore& store)
      : loop_(loop), kernel_(kernel), log_(log), store_(store) {}
  ~ConnectionSync() { loop_.cancel(retry_timer_); }
  ConnectionSync(const ConnectionSync&) = delete;
  ConnectionSync& operator=(const ConnectionSync&) = delete;

  /// What there is to be on `node`; nothing: none. Daemons that directord did not start stay then.
  void set(const std::optional<config::ConnectionSync>& wanted, const std::string& node);

  /// Why they are not so; "" if they are.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  void adjust();
  net::Result<> start();
  net::Result<> stop();

  net::Loop& loop_;
  ipvs::Kernel& kernel_;
  EventLog& log_;
  StateStore& store_;
  std::optional<config::ConnectionSync> wanted_;
  std::string node_;
  net::Loop::Id retry_timer_ = 0;
  std::string problem_;
};

}  // namespace director
