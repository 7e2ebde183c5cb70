#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "config/cluster.h"
#include "director/engine/settings.h"
#include "ipvs/types.h"

/// What another cluster file would change, before anything is changed. Pure.
namespace director {

struct Change {
  /// By name; a service is the same if its virtual address is, a server if its own address is.
  struct Names {
    std::vector<std::string> added, changed, removed;

    [[nodiscard]] bool none() const { return added.empty() && changed.empty() && removed.empty(); }
  };
  Names services;
  Names servers;  ///< as SERVICE/SERVER; those of added and removed services are among them
  Names routers;
  std::vector<std::string> sections;  ///< others that differ: "nodes", "groups", "connection_sync", "director" ...
  struct Probes {
    std::size_t kept = 0, added = 0, removed = 0;
  };
  Probes probes;  ///< distinct ones

  /// A key of something that is changed, with its two values.
  struct Detail {
    std::string kind;  ///< "service", "server", "virtual router", "section"
    std::string name;  ///< as in the lists above
    Difference difference;
  };
  std::vector<Detail> details;

  /// Where each of servers.removed is, in its order.
  std::vector<std::pair<ipvs::ServiceKey, ipvs::DestinationKey>> leaving;

  [[nodiscard]] bool none() const { return services.none() && servers.none() && routers.none() && sections.empty(); }
};

[[nodiscard]] Change compare(const config::Cluster& before, const config::Cluster& after);

/// Why a change must be asked for twice: it removes more than the share that `before` lets go unasked. Nothing if it
/// does not.
[[nodiscard]] std::optional<std::string> guard(const Change& change, const config::Cluster& before);

/// "1 service added, 2 servers removed", "nothing differs".
[[nodiscard]] std::string to_string(const Change& change);

}  // namespace director
