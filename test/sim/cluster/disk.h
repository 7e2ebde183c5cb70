#pragma once

#include <memory>
#include <string>

#include "director/engine/state_disk.h"
#include "net/loop.h"
#include "test/sim/cluster/mutation.h"

namespace cluster_sim {

/// A node's disk: what it holds outlives the director.
struct Disk {
  enum class Behaviour : std::uint8_t {
    well,
    full,
    hangs,
    no_threads,  ///< well, but its host can start no thread: nobody writes to it, and nobody reads a new file
  };

  Behaviour behaviour = Behaviour::well;
  std::string written{};  ///< the state file, as whoever opens it now reads it; "": there is none
  std::string durable{};  ///< the same after a loss of power

  void lose_power() { written = durable; }

  /// As a director reaches it; this must outlive that.
  [[nodiscard]] std::unique_ptr<director::StateDisk> open(net::Loop& loop, Mutation mutation);
};

/// What a thread that cannot be started is told with.
inline constexpr auto no_thread = "start a thread: Resource temporarily unavailable";

}  // namespace cluster_sim
