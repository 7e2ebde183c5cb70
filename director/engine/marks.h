#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "config/cluster.h"
#include "ipvs/types.h"

/// Which marks lead checks `via: vip` to which servers. Pure.
///
/// A probe of the virtual address carries its server's mark, and for each mark the kernel's table holds a private
/// service whose only destination is that server: so the probe takes the clients' path, but to a server of our choice.
namespace director {

/// How probes reach one server. The mark alone leads there, whatever virtual address and port a probe names, so that
/// all services which reach a server by the same path share one.
struct ProbePath {
  net::Family family = net::Family::ipv4;  ///< of the virtual addresses
  net::Address server;
  ipvs::Forward forward = ipvs::Forward::route;

  auto operator<=>(const ProbePath&) const = default;
};

using Marks = std::map<ProbePath, std::uint32_t>;

/// A mark for each path. One that the table holds for it already is kept, whatever paths come or go beside it, so that
/// a restart changes nothing; a new path gets the lowest mark that the table does not hold, or else one that it holds
/// for nothing wanted. `range` has as many marks as there are paths (config::validate sees to that).
[[nodiscard]] Marks allot_marks(const std::set<ProbePath>& wanted, const ipvs::Table& held,
                                const config::ProbeMarks& range);

/// Whether a service of the table is a private one: ours, whoever put it there.
[[nodiscard]] bool is_private(const ipvs::ServiceKey& key, const config::ProbeMarks& range);

[[nodiscard]] ipvs::ServiceKey private_key(const ProbePath& path, std::uint32_t mark);

/// What the table should hold under a path's mark: always the server with weight 1, since a drained one is checked too.
[[nodiscard]] ipvs::ServiceEntry private_service(const ProbePath& path);

}  // namespace director
