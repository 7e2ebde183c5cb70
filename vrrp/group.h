#pragma once

#include <cstddef>
#include <optional>
#include <variant>
#include <vector>

#include "vrrp/machine.h"

/// Virtual routers that move together: on each of its links this node is master of all or of none.
namespace vrrp {

/// One virtual router of a group: a link as the group sees it.
struct Member {
  bool link_up = false;
  std::optional<Instant> heard{};  ///< when an advert came by this link last
  Instant heard_since{};           ///< when the row of adverts began that it belongs to
};

/// A group's condition; a virtual router that belongs to no group is a group of one.
struct Group {
  Machine machine;              ///< the one role of all members
  std::vector<Member> members;  ///< in the group's order; the first that hears decides ties
  bool running = false;         ///< between Start and Stop

  /// The member whose link keeps the group from taking part, if one does.
  [[nodiscard]] std::optional<std::size_t> fault() const;
};

struct Start {};
struct Stop {};
struct LinkChanged {
  std::size_t member = 0;
  bool up = false;
};
/// What a link carried.
struct MemberHeard {
  std::size_t member = 0;
  Heard advert;
};
using GroupEvent = std::variant<Start, Stop, LinkChanged, MemberHeard, Expired>;

struct GroupStep {
  Group next;
  std::vector<Action> actions;  ///< for every member; adverts go where the link is up
};

/// All members share `config`.
[[nodiscard]] GroupStep step(const Config& config, const Group& group, const GroupEvent& event, Instant now);

}  // namespace vrrp
