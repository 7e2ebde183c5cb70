#pragma once

#include <cstddef>
#include <optional>
#include <variant>
#include <vector>

#include "net/address.h"
#include "vrrp/machine.h"

/// Virtual routers that move together: on each of its links this node is master of all or of none.
namespace vrrp {

/// One virtual router of a group: a link as the group sees it.
struct MemberState {
  bool link_up = false;
  Instant audible_from{};                     ///< after the link came up: as Startup's
  std::optional<Instant> heard{};             ///< when an advert came by this link last
  Instant heard_since{};                      ///< when the row of adverts began that it belongs to
  std::optional<net::Address> last_master{};  ///< who sent the last one that was not of priority 0
  std::uint8_t last_master_priority = 0;      ///< and with which
  std::optional<Instant> last_master_at{};    ///< and when
};

/// A group's condition; a virtual router that belongs to no group is a group of one.
struct SyncGroupState {
  Machine machine;                    ///< the one role of all members
  std::vector<MemberState> members;   ///< in the group's order; the first that hears decides ties
  bool running = false;               ///< between Start and Stop
  bool faulted = false;               ///< a tracker outside reports a fault of this node
  std::optional<Instant> retry_at{};  ///< the kernel refused the addresses: no new attempt before this
  int claim_failures = 0;             ///< in a row

  /// The member whose link keeps the group from taking part, if one does.
  [[nodiscard]] std::optional<std::size_t> broken_link() const;

  /// When it wants an Expired.
  [[nodiscard]] std::optional<Instant> deadline() const { return retry_at ? retry_at : machine.deadline; }
};

struct Start {
  std::optional<Instant> claimed{};  ///< as Startup's, of all members
};
struct Stop {};
/// The role is to go to another node; nothing happens where this one is not master.
struct HandOver {};
struct LinkChanged {
  std::size_t member = 0;
  bool up = false;
};
/// A tracker outside reports a fault of this node, or that it is cleared.
struct Fault {
  bool faulted = false;
};
/// The kernel refused a claim; the actions after it were not done.
struct ClaimFailed {};
/// What a link carried.
struct MemberHeard {
  std::size_t member = 0;
  Heard advert;
  net::Address source;
};
using SyncGroupEvent =
    std::variant<Start, Stop, HandOver, LinkChanged, Fault, ClaimFailed, MemberHeard, Inhibit, Reconfigured, Expired>;

struct SyncGroupStep {
  SyncGroupState next;
  std::vector<Action> actions;  ///< for every member; adverts go where the link is up
  bool late = false;            ///< as Step's
};

/// All members share `config`.
[[nodiscard]] SyncGroupStep step(const Config& config, const SyncGroupState& group, const SyncGroupEvent& event,
                                 Instant now);

/// How long a group stays away after so many claim_failures in a row: 1 s at first, 30 s at most.
[[nodiscard]] std::chrono::seconds retry_delay(int claim_failures);

}  // namespace vrrp
