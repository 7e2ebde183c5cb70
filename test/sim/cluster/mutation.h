#pragma once

#include <memory>
#include <span>

#include "ipvs/kernel.h"
#include "net/host.h"

namespace cluster_sim {

/// What can be wrong with a director's surroundings on purpose, to show that the rules notice a director that acts so.
enum class Mutation : std::uint8_t {
  none,
  // The kernel's table: the reconciler, the drains, the plan.
  keeps_servers,      ///< the kernel never hears that a server takes no new connections
  takes_services,     ///< what a director removes takes the services of others along
  removes_nothing,    ///< a server that leaves the table stays
  adds_nothing,       ///< a server that joins it does not
  weighs_wrong,       ///< weights are one too great
  cuts_drains,        ///< a server that takes no new connections is removed
  flushes,            ///< a director that starts clears the table
  does_half,          ///< of each batch the first half is done
  sees_nothing,       ///< what somebody else changed is read as it was
  starts_no_daemons,  ///< the kernel's connection sync does not start
  // Checks: the health monitor.
  believes_all,    ///< every probe passes
  believes_none,   ///< every probe fails
  waits_for_ever,  ///< no probe ends
  hears_late,      ///< a probe finds what was so a quarter of a minute ago
  // The host: the roles.
  hears_nothing,     ///< no advertisement arrives
  hears_slowly,      ///< each takes five seconds
  stands_still,      ///< after its first minute a director does nothing, and nobody has stopped it
  keeps_addresses,   ///< an address that is given up stays
  takes_no_address,  ///< a claim does nothing
  never_expires,     ///< addresses stay for a day after their director has died
  misses_links,      ///< what happens to links is not told
  sets_nothing,      ///< the kernel's settings stay as they are
  // The disk: the state store.
  forgets_state,   ///< what is read back is empty
  writes_nothing,  ///< the disk says yes and does nothing
  syncs_nothing,   ///< the same, and a loss of power tells
  // Operators and files: the orders, the cluster in force.
  ignores_orders,   ///< drains and weights are answered and not done
  reads_old_files,  ///< a reload puts the file in force that was there before
  drains_for_ever,  ///< a drain with an end is one without
  shares_nothing,   ///< what directors tell each other of orders does not arrive
  reports_nothing,  ///< nor what they tell each other of their services
  // Conditions, keys, replacement: who may lead.
  sees_every_gateway,    ///< what a node must reach is always reached
  has_other_keys,        ///< the second node signs with another key than its peers
  believes_strangers,    ///< who has the VRID and other addresses is heard as if it had ours
  stops_to_be_replaced,  ///< who is replaced gives its role up
};
[[nodiscard]] std::span<const Mutation> mutations();
[[nodiscard]] const char* to_string(Mutation mutation);

/// `kernel` and `host` as a director with that mutation changes them; they must outlive what is returned.
[[nodiscard]] std::unique_ptr<ipvs::Kernel> mutated(ipvs::Kernel& kernel, Mutation mutation);
[[nodiscard]] std::unique_ptr<net::Host> mutated(net::Host& host, Mutation mutation);

}  // namespace cluster_sim
