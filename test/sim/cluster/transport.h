#pragma once

#include <map>
#include <memory>
#include <string>

#include "director/orders/peer_transport.h"
#include "test/sim/cluster/world.h"

namespace cluster_sim {

class Transport;

/// The TCP connections between the directors of a world, on the front link: what is sent arrives in its order, later
/// where packets are lost meanwhile; a director that is gone closes its connections, if the other hears it.
class Connections {
 public:
  explicit Connections(World& world) : world_(world) {}

  /// For a director that starts on `node`.
  [[nodiscard]] director::MakeTransport make_transport(Node& node);

 private:
  friend class Transport;

  [[nodiscard]] bool passes(const Node& a, const Node& b) const;

  World& world_;
  std::map<std::string, Transport*> transports_;  ///< by node, of the directors that live
  director::PeerTransport::Session last_ = 0;
};

}  // namespace cluster_sim
