#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "net/time.h"
#include "vrrp/spec.h"

/// RFC 9568 section 6 as a pure function: what a virtual router does when something happens, without sockets or clock.
namespace vrrp {

using net::Duration;
using net::Instant;

enum class RouterState : std::uint8_t {
  initialize,  ///< not taking part: not started, stopped, or unable to
  backup,      ///< watches the master
  master,      ///< holds the virtual addresses
};
[[nodiscard]] std::string_view to_string(RouterState state);

/// Section 6.1's parameters, and ours.
struct Config {
  std::uint8_t priority = 100;  ///< 1..255
  std::chrono::milliseconds advertisement_interval{1000};
  bool preempt_mode = true;
  Duration preempt_delay{};                     ///< for how long after it starts it preempts nobody
  std::uint8_t version = 3;                     ///< version 2 counts Skew_Time in seconds, not in intervals
  bool demoted = false;                         ///< leads only where nobody else does
  Duration resolution_time{};                   ///< after a link came up, until peers can send to this node again
  std::vector<std::uint8_t> peer_priorities{};  ///< of the other nodes in the cluster file; lower ones may be in force
};

/// How far a master is with giving its role away.
enum class Leaving : std::uint8_t {
  no,
  to_backup,  ///< failover by an operator: becomes a backup, and stays master if nobody takes over
  for_good,   ///< it stops
};

/// One virtual router's condition. Adver_Timer and Master_Down_Timer are never armed together, so one deadline serves.
struct Machine {
  RouterState state = RouterState::initialize;
  Duration master_adver_interval{};  ///< Master_Adver_Interval: what the last master that we follow advertised
  /// When it wants Expired: a master's Adver_Timer, or its next advert with priority 0 while it leaves; a backup's
  /// Master_Down_Timer, or the end of its listening after a stall. None in RouterState::initialize, and for a backup
  /// that is inhibited once the Master_Down_Timer has run out.
  std::optional<Instant> deadline{};
  bool has_addresses = false;   ///< the virtual addresses may be on the interface, from us or from an earlier process
  Instant lease_end{};          ///< of a master: when the kernel drops the addresses unless they are claimed again
  bool answered = false;        ///< of a master: has answered another master since its own last Adver_Timer
  bool contested = false;       ///< of a master: has heard another again after it answered one
  bool first_interval = false;  ///< of a master: its first Adver_Timer has not run out yet
  bool inhibited = false;       ///< may not become master yet
  bool failed_over = false;     ///< gave its role away in a failover: follows any master until there is none
  Instant preempt_from{};       ///< of a backup: when its preempt_delay is over
  std::uint8_t master_priority = 0;  ///< of a backup: the last advert's that was not 0; 0 if none was heard
  Leaving leaving = Leaving::no;
  Instant leave_by{};  ///< of a master that is leaving: for how long it waits for its successor

  bool operator==(const Machine&) const = default;
};

/// The virtual router may take part.
struct Startup {
  /// When an earlier process of this router last claimed its addresses, if all of them are still there.
  std::optional<Instant> claimed{};
  Instant audible_from{};  ///< before this, a master's adverts need not arrive yet
};
/// It may no longer, from now on: a fault.
struct Shutdown {};
/// A master is to give its role to another, and to serve until that one is there.
struct Resign {
  Leaving how = Leaving::for_good;
};
/// Whether it may become master yet; a master stays one.
struct Inhibit {
  bool inhibited = false;
};
/// The Config is another one from now on.
struct Reconfigured {};
/// The deadline has passed.
struct Expired {};
/// An advert for this virtual router that passed every check.
struct Heard {
  std::uint8_t priority = 0;
  Duration max_advertise_interval{};
  bool greater_address = false;  ///< the sender's primary address is greater than ours on that link
  bool from_master = false;      ///< the last advert on that link that was not of priority 0 had the same sender
  bool overtaken = false;        ///< of priority 0: another has spoken as master since, less than an interval ago
};
using Event = std::variant<Startup, Shutdown, Resign, Inhibit, Reconfigured, Expired, Heard>;

/// What is to be done, in this order, after the next state is stored. A claim that fails ends it (sync_group_state.h:
/// ClaimFailed).
enum class Action : std::uint8_t {
  advertise,  ///< send an advert with our priority
  resign,     ///< send an advert with priority 0
  claim,      ///< put the virtual addresses on the interface, or renew their lease
  announce,   ///< gratuitous ARP, unsolicited neighbour advertisements: now and in a burst
  yield,      ///< take the virtual addresses off the interface
};
[[nodiscard]] std::string_view to_string(Action action);

struct Step {
  Machine next;
  std::vector<Action> actions;
  bool late = false;  ///< the timer ran out so long ago that it proves nothing: it listens for an interval first
};

[[nodiscard]] Step step(const Config& config, const Machine& machine, const Event& event, Instant now);

/// Skew_Time: the higher the priority, the sooner.
[[nodiscard]] Duration skew_time(const Config& config, Duration master_adver_interval);

/// Master_Down_Interval: how long a backup waits for a silent master.
[[nodiscard]] Duration master_down_interval(const Config& config, Duration master_adver_interval);

/// Whether the cluster file shows that nobody comes before this router when a master of `master_priority` leaves.
[[nodiscard]] bool is_next(const Config& config, std::uint8_t master_priority);

/// For how long a master claims its addresses each time: long enough for any backup to notice that the adverts have
/// stopped, so that a master that died is not missed before its successor is there. Whole seconds, as the kernel
/// counts.
[[nodiscard]] std::chrono::seconds lease(const Config& config);

}  // namespace vrrp
