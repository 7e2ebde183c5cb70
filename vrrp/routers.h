#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "net/error.h"
#include "net/links.h"
#include "net/loop.h"
#include "net/sysctls.h"
#include "vrrp/group.h"
#include "vrrp/router.h"
#include "vrrp/spec.h"
#include "vrrp/status.h"
#include "vrrp/wanted.h"

namespace net {
class Host;
}  // namespace net

namespace vrrp {

/// All virtual routers of this node, alive on a loop: machines, sockets, timers and addresses. It never logs; it tells.
///
/// Virtual addresses are leases: the kernel drops them soon after a master that dies. Destroying this without stop() is
/// such a death, and a later start() takes over what is still there; in time, it goes on as master.
class Routers {
 public:
  using OnTransition = std::move_only_function<void(const Transition&)>;
  /// An operation failed that the protocol goes on without: told once until it fails in another way or has succeeded.
  using OnError = std::move_only_function<void(const std::string& router, const net::Error&)>;
  using OnNotice = std::move_only_function<void(const std::string& router, const Notice& notice)>;
  /// Another director of the cluster made itself known, in a signed packet.
  using OnMet = std::move_only_function<void(const Identity&, const net::Address& from)>;
  using OnStopped = std::move_only_function<void()>;

  /// Starts every router on `loop` and `host`, which outlive this. While `held` is not empty none of them becomes
  /// master, for this reason, but one that goes on from an earlier life. Transitions may be told before this returns.
  /// Errors: no privilege (CAP_NET_ADMIN), no descriptors left; then none has started. A link that is missing or down
  /// is none: its group waits for it in State::initialize.
  static net::Result<std::unique_ptr<Routers>> start(net::Loop& loop, net::Host& host, Wanted wanted,
                                                     OnTransition on_transition, OnError on_error = {},
                                                     OnNotice on_notice = {}, std::string held = {},
                                                     std::filesystem::path settings = {});
  ~Routers();
  Routers(const Routers&) = delete;
  Routers& operator=(const Routers&) = delete;

  /// What is to run from now on. A router is the same one if its router_id, interface, family and kind of Ethernet
  /// address are: it keeps its role and timers, and its addresses, priority, interval and name change in place; a group
  /// keeps the role of the first of its routers that was there. Others are stopped, or started. What the conditions ask
  /// for is done first: no advert goes out that they forbid.
  void update(Wanted wanted);

  /// Who this node is from now on, for those that sign as well; `on_met` is told of each hello of theirs: within a
  /// second or two of a master's advert, on both sides, and so on each second. Not called: it says nothing.
  void introduce(Identity self, OnMet on_met);

  /// Lets those become master that start() held; `why` is their reason.
  void release(const std::string& why);

  /// The service that the router and its group are for is not to be had from this node: gives the role to another node
  /// that will have it, and leads only where nobody else does, with priority 1, until this is called with no reason.
  void give_up(const std::string& router, const std::string& reason);

  /// Takes `by` from the router's priority, down to 1, for that cause; those of a group add up.
  void lower(const std::string& router, int by, const std::string& cause);

  /// Takes the router and its group out of service for a reason, or with none back in.
  void fault(const std::string& router, const std::string& reason);

  /// The router and its group give their role to whom the cluster file shows to be next, and stay master if nobody
  /// takes over. Error: there is no such router, it is not master, or nobody is there to take over.
  net::Result<> hand_over(const std::string& router);

  /// One for each spec, in their order.
  [[nodiscard]] std::vector<Status> status() const;

  /// Resigns where it is master, waits for the successor, takes the virtual addresses away, and stays quiet. Tells when
  /// all have stopped, which may be before this returns; at the latest after an advertisement interval.
  void stop(OnStopped on_stopped = {});

  /// The last word of a life that another is to follow at once: renews what a master holds, and leaves it there.
  void leave_to_next_life();

 private:
  using Id = std::uint64_t;

  /// Routers that move together, or one that stands alone.
  struct Band {
    Config config;
    Group group;
    std::vector<Id> members;
    Instant since;
    std::string reason;
    std::string refused;                   ///< the kernel's last word against our addresses, while it stands
    std::optional<net::Address> resigned;  ///< a master that said farewell, until another is heard
    net::Loop::Id timer = 0;
    net::Loop::Id announce_timer = 0;
    std::size_t announced = 0;  ///< announcements made since the last Action::announce
  };
  enum class Operation : std::uint8_t { send, claim, yield, announce, route, separate };
  struct Change;

  Routers(net::Loop& loop, net::Host& host, std::filesystem::path settings, OnTransition on_transition,
          OnError on_error, OnNotice on_notice, std::string held);

  // What there is (routers_update.cc).
  [[nodiscard]] std::optional<Id> find_same(const Spec& spec) const;
  void set_conditions(const Change& change);
  void regroup(Change& change);
  void drop_router(Id router);
  void drop_band(Id band);
  void adapt(Id band, const Change& change);
  void start_band(Id band);
  [[nodiscard]] bool holds_any(Id router);
  void sweep_routes();

  // What happens to it.
  [[nodiscard]] Config config_of(const Band& band) const;
  [[nodiscard]] std::string reason_of(const Band& band, std::string Conditions::* kind) const;
  void heed(Id band, const std::string& cause);
  void heed_fault(Id band);
  [[nodiscard]] std::optional<Id> find(const std::string& name) const;
  [[nodiscard]] static bool is_stopped(const Band& band);
  [[nodiscard]] std::size_t member_of(Id router) const;
  void on_link_change(const std::string& interface);
  void refresh(Id router);
  void on_packets(Id router);
  void tell_refusals(Id router);
  void on_timer(Id band);
  void feed(Id band, const GroupEvent& event, const std::function<std::string()>& reason);
  net::Result<> perform(Id band, const std::vector<Action>& actions);
  net::Result<> perform(Id band, Action action);
  net::Result<> yield(Id router);
  void announce(Id band);
  void arm(Id band);
  void notice(const Band& band, const Notice& what);
  net::Result<> note(Id router, Operation operation, net::Result<> result);
  void forget_stopped();
  void retire(const Band& band);

  net::Loop& loop_;
  net::Host& host_;
  net::Sysctls sysctls_;
  OnTransition on_transition_;
  OnError on_error_;
  OnNotice on_notice_;
  OnMet on_met_;
  OnStopped on_stopped_;
  std::optional<Identity> self_;
  std::string held_;
  std::unique_ptr<net::Links> links_;
  Id last_id_ = 0;
  std::map<Id, Router> routers_;
  std::map<Id, Band> bands_;
  std::map<Id, Id> band_of_;             ///< by router
  std::map<Id, Conditions> conditions_;  ///< by router
  std::vector<Id> order_;                ///< the routers of the last specs
  std::set<net::Address> virtual_addresses_;
  std::map<std::pair<Id, Operation>, std::string> failing_;
  std::map<std::pair<Id, Refusal>, Instant> refusals_told_;
  net::Loop::Id forget_timer_ = 0;
};

}  // namespace vrrp
