#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "net/time.h"

/// What operators want of servers, as it is kept and as directors tell it each other.
namespace director {

using net::WallTime;

/// When an order was given, as all directors count it: a Lamport clock, so that an order that was given where another
/// one was known comes after it, whatever the clocks on the wall say. Ties are decided by the node's name.
struct OrderVersion {
  std::uint64_t counter = 0;  ///< from 1; 0: an order of an earlier program, which counted none
  std::string node{};         ///< where it was given
  /// A random number of the process that it was given to. Within one, counters only rise.
  std::uint64_t process = 0;

  auto operator<=>(const OrderVersion&) const = default;
};

/// Who gave an order, when, and what it was known to replace.
struct OrderOrigin {
  OrderVersion version;
  OrderVersion replaces{};  ///< of the same subject; counter 0: there was none
  std::string by{};         ///< the user; may be empty

  auto operator<=>(const OrderOrigin&) const = default;
};

/// The operator's overrides of a server.
struct Overrides {
  struct Drain {
    WallTime since;
    std::string reason;                  ///< the operator's reason; may be empty
    std::optional<WallTime> deadline{};  ///< then the server leaves the table, and its connections end
    OrderOrigin origin{};

    auto operator<=>(const Drain&) const = default;
  };
  struct Weight {
    std::uint32_t value = 0;          ///< 0..65535
    WallTime since{};                 ///< the epoch where an earlier version kept none
    std::string reason{};             ///< the operator's reason; may be empty
    std::optional<WallTime> until{};  ///< then the file's weight holds again
    OrderOrigin origin{};

    auto operator<=>(const Weight&) const = default;
  };
  std::optional<Drain> drain{};    ///< no new connections, the open ones live on
  std::optional<Weight> weight{};  ///< instead of the file's

  auto operator<=>(const Overrides&) const = default;
};

enum class OrderKind : std::uint8_t { drain, weight };

/// "drain", "weight".
[[nodiscard]] std::string_view to_string(OrderKind kind);

/// What an order is about: of each there is one order, the last.
struct OrderSubject {
  std::string server;  ///< SERVICE/SERVER
  OrderKind kind = OrderKind::drain;

  auto operator<=>(const OrderSubject&) const = default;
};

/// An order that is over, by another order or by its time. It is kept until all directors know of it, lest one that was
/// away brings an earlier one back.
struct EndedOrder {
  OrderOrigin origin;
  WallTime at;

  auto operator<=>(const EndedOrder&) const = default;
};

using OrderValue = std::variant<EndedOrder, Overrides::Drain, Overrides::Weight>;

struct Order {
  OrderSubject subject;
  OrderValue value;

  [[nodiscard]] const OrderOrigin& origin() const {
    return std::visit([](const auto& each) -> const OrderOrigin& { return each.origin; }, value);
  }

  auto operator<=>(const Order&) const = default;
};

/// Of each process that gave orders, up to which counter its orders are known: all of them, or others that replace
/// them.
using KnownOrders = std::map<std::uint64_t, std::uint64_t>;

/// Whether `known` covers an order, or all that `other` covers.
[[nodiscard]] bool covers(const KnownOrders& known, const OrderVersion& version);
[[nodiscard]] bool covers(const KnownOrders& known, const KnownOrders& other);

/// Adds what `more` covers.
void add(KnownOrders& known, const KnownOrders& more);

}  // namespace director
