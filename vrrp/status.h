#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/address.h"
#include "vrrp/advert.h"
#include "vrrp/machine.h"
#include "vrrp/spec.h"

/// What the director is told of its virtual routers.
namespace vrrp {

/// A virtual router changed its state.
struct Transition {
  std::string router;
  RouterState from = RouterState::initialize;
  RouterState to = RouterState::initialize;
  std::string reason;  ///< "192.168.56.11 resigned", "link eth0 is down"
  bool stopped =
      false;  ///< to RouterState::initialize because it was told to stop or left the file; else that is a fault
  Instant at;
};

/// Something happened to a virtual router that is worth telling and changed no state.
struct Notice {
  enum class Kind : std::uint8_t {
    fault,             ///< it takes no part from its start on, or for another reason than before
    advert,            ///< an advertisement was rejected, or lists other addresses
    no_successor,      ///< no other node took over
    stalled,           ///< this node was stalled
    demoted,           ///< by Routers::demote
    demotion_ended,    ///< no longer so
    priority_lowered,  ///< by Routers::set_priority_penalty
    priority_raised,   ///< the same, back up
    checksum,          ///< a peer's checksums are of the other form, which is sent from now on
  };
  Kind kind = Kind::advert;
  std::string text;
};

/// Another router of the same VRID that has been heard.
struct Peer {
  net::Address address;
  std::uint8_t priority = 0;  ///< of its last advert
  Instant heard;              ///< when that arrived
};

/// An advert of our VRID that was rejected: perhaps from another master.
struct RejectedAdvert {
  net::Address source;
  RejectReason reason = RejectReason::signature;
  Instant heard;
};

struct Counters {
  std::uint64_t sent = 0;
  std::uint64_t send_errors = 0;
  std::uint64_t received = 0;            ///< and accepted
  std::uint64_t other_address_list = 0;  ///< accepted, but naming other virtual addresses than ours
  std::array<std::uint64_t, reject_reason_count> rejected{};  ///< by RejectReason
  std::uint64_t dropped = 0;                                  ///< unread: they came faster than they could be read
};

struct Status {
  Spec spec;
  RouterState state = RouterState::initialize;
  Instant since;                       ///< in this state
  std::string reason;                  ///< why it is in it
  std::string fault;                   ///< why it takes no part although it should; "" if it could
  std::string problem;                 ///< what the operator must mend: the kernel refuses its addresses; "" if nothing
  std::string standby_reason;          ///< why it may not become master yet; "" if it may
  std::uint8_t priority = 0;           ///< in force: the spec's, or lowered
  std::optional<net::Address> source;  ///< where its adverts come from; none while its link is unusable
  std::vector<net::Prefix> present_addresses;   ///< which of its addresses are on the interface
  std::optional<Instant> lease_end;             ///< of a master: when the kernel drops them unless they are renewed
  std::optional<Instant> next_timer;            ///< Adver_Timer or Master_Down_Timer
  std::vector<Peer> peers;                      ///< heard lately, at most a dozen
  std::optional<RejectedAdvert> last_rejected;  ///< the last one
  Counters adverts;
};

}  // namespace vrrp
