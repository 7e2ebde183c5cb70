#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "net/route_table.h"
#include "net/time.h"

namespace net {

/// A route of a MemoryHost. Its metric is the one that it has: of IPv6, 1024 where none was chosen.
struct MemoryRoute {
  enum class Type : std::uint8_t { unicast, local, broadcast };

  RouteEntry entry;
  Type type = Type::unicast;
  std::uint8_t protocol = RouteTable::protocol;
  std::optional<Instant> until{};  ///< of IPv6; none: for ever
};

/// The route tables of a MemoryHost: what the kernel's fib_trie.c and ip6_fib.c do with them. Errors are errno values,
/// 0 is success.
class MemoryRoutes {
 public:
  static constexpr std::uint32_t local_table = 255;
  static constexpr std::uint32_t main_table = 254;
  static constexpr std::uint32_t default_table = 253;
  static constexpr std::uint32_t ipv6_metric = 1024;
  static constexpr std::uint32_t ipv6_prefix_metric = 256;

  /// Among those of its prefix, table and metric; `alone`: only if there is none (EEXIST).
  enum class Place : std::uint8_t { first, last, alone };
  /// Of IPv4 two routes are the same if all of them is; of IPv6, if key, interface and gateway are: then the lease of
  /// the new one is that of the old one. Error EEXIST: it is there.
  int add(const MemoryRoute& route, Place place);

  /// Takes away the first one of our protocol that fits; error ESRCH: none does.
  int remove(const RouteEntry& pattern);

  /// How many it has taken away.
  template <class Predicate>
  std::size_t remove_if(Predicate predicate) {
    return std::erase_if(routes_, predicate);
  }

  struct Query {
    Address to;
    int interface_index = 0;       ///< 0: any
    std::uint32_t table = 0;       ///< 0: as the kernel's rules have it
    std::uint8_t least_scope = 0;  ///< of IPv4
  };
  /// Valid until the next change.
  [[nodiscard]] const MemoryRoute* find(const Query& query) const;

  /// Whether an IPv6 route shares its prefix and metric with others through other gateways: the kernel holds them as
  /// one.
  [[nodiscard]] bool is_shared(const MemoryRoute& route) const;

  [[nodiscard]] std::vector<MemoryRoute>& all() { return routes_; }
  [[nodiscard]] const std::vector<MemoryRoute>& all() const { return routes_; }

 private:
  [[nodiscard]] const MemoryRoute* find_in(const Query& query, std::uint32_t table) const;

  std::vector<MemoryRoute> routes_;  ///< of those of one prefix, table and metric the first comes first
};

}  // namespace net
