#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "net/announce.h"
#include "net/error.h"
#include "net/leases.h"
#include "net/links.h"
#include "net/loop.h"
#include "vrrp/group.h"
#include "vrrp/router.h"
#include "vrrp/spec.h"
#include "vrrp/status.h"

namespace vrrp {

/// All virtual routers of this node, alive on a loop: machines, sockets, timers and addresses. It never logs; it tells.
///
/// Virtual addresses are leases: the kernel drops them soon after a master that dies. Destroying this without stop() is
/// such a death, and a later start() takes over what is still there.
class Routers {
 public:
  using OnTransition = std::move_only_function<void(const Transition&)>;
  /// An operation failed that the protocol goes on without: told once until it fails in another way or has succeeded.
  using OnError = std::move_only_function<void(const std::string& router, const net::Error&)>;

  /// Starts every router on `loop`, which outlives this. `groups` names routers that move together, which share their
  /// priority, preemption and interval; the others stand alone. Transitions may be told before this returns. Errors: a
  /// contradiction among `specs` and `groups`; no privilege (CAP_NET_RAW, CAP_NET_ADMIN). A link that is missing or
  /// down is none: its group waits for it in State::initialize.
  static net::Result<std::unique_ptr<Routers>> start(net::Loop& loop, std::vector<Spec> specs,
                                                     const std::vector<std::vector<std::string>>& groups,
                                                     OnTransition on_transition, OnError on_error = {});
  ~Routers();
  Routers(const Routers&) = delete;
  Routers& operator=(const Routers&) = delete;

  /// One for each spec, in their order.
  [[nodiscard]] std::vector<Status> status() const;

  /// Resigns where it is master, takes the virtual addresses away, and stays quiet.
  void stop();

 private:
  /// Routers that move together, or one that stands alone.
  struct Band {
    Config config;
    Group group;
    std::vector<std::size_t> members;  ///< indices of routers_
    Instant since;
    std::string reason;
    std::optional<net::Address> resigned;  ///< a master that said farewell, until another is heard
    net::Loop::Id timer = 0;
    net::Loop::Id burst_timer = 0;
    std::size_t burst = 0;  ///< announcements made since the last Action::announce
  };
  enum class Operation : std::uint8_t { send, claim, yield, announce };

  Routers(net::Loop& loop, net::Leases leases, net::Announcer announcer, OnTransition on_transition, OnError on_error);

  net::Result<> add_bands(const std::vector<std::vector<std::string>>& groups);
  net::Result<> add_band(std::vector<std::size_t> members);
  void start_band(std::size_t band);
  [[nodiscard]] std::size_t member_of(std::size_t router) const;
  void on_link_change(const std::string& interface);
  void refresh(std::size_t router);
  void on_packets(std::size_t router);
  void on_timer(std::size_t band);
  void feed(std::size_t band, const GroupEvent& event, const std::function<std::string()>& reason);
  void perform(std::size_t band, Action action);
  void announce(std::size_t band);
  void arm(std::size_t band);
  void note(std::size_t router, Operation operation, const net::Result<>& result);

  net::Loop& loop_;
  net::Leases leases_;
  net::Announcer announcer_;
  OnTransition on_transition_;
  OnError on_error_;
  std::unique_ptr<net::Links> links_;
  std::vector<Router> routers_;
  std::vector<std::size_t> band_of_;  ///< by router; none yet: SIZE_MAX
  std::vector<Band> bands_;
  std::set<net::Address> virtual_addresses_;
  std::map<std::pair<std::size_t, Operation>, std::string> failing_;
};

}  // namespace vrrp
