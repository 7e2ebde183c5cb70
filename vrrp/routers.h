#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "net/error.h"
#include "net/loop.h"
#include "vrrp/desired_routers.h"
#include "vrrp/listener.h"
#include "vrrp/spec.h"
#include "vrrp/status.h"
#include "vrrp/sync_group.h"

namespace net {
class Host;
}  // namespace net

namespace vrrp {

/// All virtual routers of this node, run on a loop: machines, sockets, timers and addresses. It logs nothing itself: it
/// calls its Listener.
///
/// Virtual addresses are leases: the kernel drops them soon after a master's process ends. Destroying this without
/// stop() is such an end, and a later start() takes over what is still there; in time, it goes on as master.
class Routers {
 public:
  struct Options {
    std::string inhibit_reason{};      ///< while this is not empty, no router becomes master, for this reason
    std::filesystem::path settings{};  ///< of the interfaces (net::Sysctls)
  };

  /// Starts every router on `loop` and `host`, which outlive this, as `listener` does. One that goes on from an earlier
  /// process is master all the same. The listener may be told before this returns. Errors: no privilege
  /// (CAP_NET_ADMIN), no descriptors left; then none has started. A link that is missing or down is none: its group
  /// waits for it in RouterState::initialize.
  static net::Result<std::unique_ptr<Routers>> start(net::Loop& loop, net::Host& host, DesiredRouters desired,
                                                     Listener& listener, Options options);
  ~Routers();
  Routers(const Routers&) = delete;
  Routers& operator=(const Routers&) = delete;

  /// What is to run from now on. A router is the same one if its router_id, interface, family and kind of Ethernet
  /// address are: it keeps its role and timers, and its addresses, priority, interval and name change in place; a group
  /// keeps the role of the first of its routers that was there. Others are stopped, or started. What the conditions ask
  /// for is done first: no advert goes out that they forbid.
  void update(DesiredRouters desired);

  /// Who this node is from now on, for those that sign as well; the listener is told of each hello of theirs: within a
  /// second or two of a master's advert, on both sides, and so on each second. Not called: it says nothing,
  /// asks nobody, and goes by the clock on the wall alone.
  void set_identity(Identity self);

  /// Lets those become master that start() inhibited; `why` is their reason.
  void end_inhibit(const std::string& why);

  /// The service that the router and its group are for is not to be had from this node: gives the role to another node
  /// that will have it, and leads only where nobody else does, with priority 1, until this is called with no reason.
  void demote(const std::string& router, const std::string& reason);

  /// Takes `penalty` from the router's priority, down to 1, for that cause; those of a group add up.
  void set_priority_penalty(const std::string& router, int penalty, const std::string& cause);

  /// Takes the router and its group out of service for a reason, or with none back in.
  void fault(const std::string& router, const std::string& reason);

  /// The router and its group give their role to whom the cluster file shows to be next, and stay master if nobody
  /// takes over. Error: there is no such router, it is not master, or nobody is there to take over.
  net::Result<> hand_over(const std::string& router);
  /// Whether it would, now. Errors: the same.
  [[nodiscard]] net::Result<> may_hand_over(const std::string& router) const;

  /// One for each spec, in their order.
  [[nodiscard]] std::vector<Status> status() const;

  /// Resigns where it is master, waits for the successor, takes the virtual addresses away, and stays quiet. The
  /// listener is told when all have stopped, which may be before this returns; at the latest after an advertisement
  /// interval.
  void stop();

  /// The last act of a process that another one follows at once: renews what a master holds, and leaves it there.
  void renew_before_exec();

 private:
  Routers(net::Loop& loop, net::Host& host, Listener& listener, Options options);

  struct Update;
  [[nodiscard]] GroupRouter* find_same(const Spec& spec) const;
  [[nodiscard]] GroupRouter* find(const std::string& name) const;
  void set_conditions(const Update& change);
  void note_virtual_addresses(const Update& change);
  void regroup(Update& change);
  void sweep_routes();
  void forget_stopped();

  SharedContext context_;
  std::vector<std::unique_ptr<SyncGroup>> groups_;
  std::vector<GroupRouter*> order_;  ///< the routers of the last specs
  bool stopping_ = false;
  net::Loop::Id forget_timer_ = 0;
};

}  // namespace vrrp
