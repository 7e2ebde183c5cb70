#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "net/error.h"
#include "vrrp/spec.h"

namespace net {
class Host;
}  // namespace net

/// The virtual routers that a node is to have, checked as a whole before any of it takes force.
namespace vrrp {

/// What is known of a virtual router from elsewhere. It holds for its whole group.
struct Conditions {
  std::string fault{};       ///< why it cannot work on this node; empty: it can
  std::string demotion{};    ///< why it leads only where nobody else does; empty: it may lead
  int priority_penalty = 0;  ///< what its priority loses, down to 1; those of a group add up
};

/// Names of routers that move together.
using Groups = std::vector<std::vector<std::string>>;

/// Made by prepare(): to put it in force cannot fail.
struct DesiredRouters {
  std::vector<Spec> specs;
  std::vector<std::vector<std::size_t>> groups;    ///< places in `specs`; each is in one, if alone
  std::map<std::string, Conditions> conditions{};  ///< by router; of others holds what was said before
};

/// `groups` names routers that move together, which share their priority, preemption and interval; each other one
/// is alone. Errors: a contradiction among `specs` and `groups`; no privilege (CAP_NET_RAW).
[[nodiscard]] net::Result<DesiredRouters> prepare(net::Host& host, std::vector<Spec> specs, const Groups& groups);

}  // namespace vrrp
