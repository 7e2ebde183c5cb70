#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "director/engine/cluster_in_force.h"
#include "director/engine/drains.h"
#include "director/engine/event_log.h"
#include "director/engine/state_store.h"
#include "ipvs/kernel.h"
#include "net/loop.h"

namespace director {

/// Every server that takes no new connections while its open ones live on, whatever the cause: those in the cluster
/// file, and those that left it and are still in the kernel's table, which the state store remembers. Looks at their
/// connections until they may go.
class DrainManager {
 public:
  /// A service is to be planned again, since a drain of it is over.
  using MarkDirty = std::function<void(const ipvs::ServiceKey& service)>;

  /// All must outlive this.
  DrainManager(net::Loop& loop, ipvs::Kernel& kernel, const ClusterInForce& in_force, EventLog& log, StateStore& store,
               MarkDirty mark_dirty);
  ~DrainManager() { loop_.cancel(timer_); }
  DrainManager(const DrainManager&) = delete;
  DrainManager& operator=(const DrainManager&) = delete;

  /// Which servers of a service in the file drain by its plan, from now on.
  void note(const config::Service& service, const std::map<ipvs::DestinationKey, DrainCause>& drained);
  /// The service left the file.
  void forget(const ipvs::ServiceKey& service);

  /// Notes what the kernel holds of a service, `actual`, and the file does not name: it may keep its connections for
  /// `time`.
  void drain_removed(const ipvs::ServiceKey& service, const ipvs::ServiceEntry& actual, std::chrono::seconds time);

  /// Of a server in the file; null: it does not drain.
  [[nodiscard]] const Drain* find(const ServerKey& server) const;
  /// Of what left the file.
  [[nodiscard]] const Drains& draining_removed() const { return store_.state().draining_removed; }

  /// The clock that the store counts by was moved by so much.
  void move_times(net::WallTime::duration by) { director::move_times(drains_, by); }

  /// Checks at once.
  void check_connections();

 private:
  [[nodiscard]] Drain new_drain(const config::Service& service, const ServerKey& server, DrainCause cause) const;
  void schedule();
  void check_service(const ipvs::ServiceKey& service, std::vector<DrainKey>& gone);

  net::Loop& loop_;
  ipvs::Kernel& kernel_;
  const ClusterInForce& in_force_;
  EventLog& log_;
  StateStore& store_;
  MarkDirty mark_dirty_;
  Drains drains_;  ///< of servers in the file
  net::Loop::Id timer_ = 0;
  std::optional<ipvs::ServiceKey> cursor_;  ///< up to where the last round came
};

}  // namespace director
