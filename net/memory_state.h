#pragma once

#include <vector>

#include "net/memory_host.h"
#include "net/memory_links.h"
#include "net/memory_network.h"
#include "net/memory_socket.h"

namespace net {

/// What a MemoryHost is made of.
struct MemoryHost::State {
  const Clock& clock;
  MemoryNetwork network;
  std::vector<MemoryLinks*> followers{};  ///< in the order in which they came, as the sockets
  std::vector<MemorySocket*> sockets{};
};

}  // namespace net
