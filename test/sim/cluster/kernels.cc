// What a node's kernel loses: all at once with its power, or its IPVS.

#include <array>

#include "test/sim/cluster/shop.h"
#include "test/sim/cluster/world.h"

namespace cluster_sim {

void World::lose_power(Node& node) {
  crash(node);
  say(node.config.name + " loses its power");
  if (node.unloaded_since) load_ip_vs(node);
  node.disk.lose_power();
  const auto running = node.kernel.daemons().value_or(std::vector<ipvs::Daemon>());
  for (const auto& daemon : running)
    std::ignore = node.kernel.apply(std::array<ipvs::Op, 1>{ipvs::StopDaemon{daemon.state}});
  node.kernel.faults.clear();
  node.kernel.table = {{strangers_service, {}}};
  node.kernel.trash.clear();
  node.connections.clear();
  node.removed.clear();
  node.cluster.services.clear();  // nothing of theirs is left
  for (auto& [name, value] : node.host.settings) value.assign(1, '0');
  const auto lost = virtual_addresses_of(node);
  for (const auto& [interface, held] : node.host.addresses()) {
    if (lost.contains(held.address)) std::ignore = node.host.drop_address(index_of(interface), held);
  }
  clients_.forget(node);
}

void World::unload_ip_vs(Node& node) {
  say("the kernel of " + node.config.name + " loses ip_vs");
  node.kernel.unload();
  node.unloaded_since = now_;
  node.connections.clear();
  node.removed.clear();
  for (auto& [name, value] : node.host.settings) value.assign(1, '0');
  clients_.forget(node);
}

void World::load_ip_vs(Node& node) {
  say("the kernel of " + node.config.name + " has ip_vs again");
  node.kernel.load();
  node.kernel.table = {{strangers_service, {}}};
  node.unloaded_since.reset();
  node.able_from = now_;
}

}  // namespace cluster_sim
