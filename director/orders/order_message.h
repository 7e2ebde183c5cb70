#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "director/orders/order.h"
#include "director/orders/report.h"
#include "net/error.h"

namespace director {

/// What a node has of the orders.
struct HeldOrders {
  KnownOrders held;   ///< in force there
  KnownOrders saved;  ///< on its disk: a restart does not lose them

  bool operator==(const HeldOrders&) const = default;
};

/// One message between two directors, docs/formats/orders.md. Each part may be absent; one without any says that its
/// sender lives.
struct OrderMessage {
  /// The first message of each side.
  struct Hello {
    std::string cluster, node;

    bool operator==(const Hello&) const = default;
  };
  std::optional<Hello> hello{};
  std::vector<Order> orders{};
  /// After the last of some orders: the receiver has been sent whatever it lacked of these.
  std::optional<KnownOrders> sent{};
  /// By node: what the sender has, and what it knows of nodes that the receiver has no connection with.
  std::map<std::string, HeldOrders> holds{};
  /// The nodes that the sender has connections with.
  std::optional<std::vector<std::string>> connected{};
  /// Of the sender.
  Reports reports{};

  bool operator==(const OrderMessage&) const = default;
};

/// The longest message, in bytes.
inline constexpr std::size_t order_message_max = std::size_t{64} << 10;
/// How many bytes of orders go into one message: less than its bound by more than one order can have.
inline constexpr std::size_t orders_bytes = std::size_t{32} << 10;

/// Whether an order keeps to the bounds of a message: one in a damaged state file may not.
[[nodiscard]] bool can_be_told(const Order& order);

/// How many bytes an order takes in a message, about.
[[nodiscard]] std::size_t message_bytes(const Order& order);

/// As text, one JSON object. Its times are relative to `now`, since clocks differ.
[[nodiscard]] std::string encode(const OrderMessage& message, WallTime now);

/// Errors: what is wrong with the text, which anybody with the key may have written.
[[nodiscard]] net::Result<OrderMessage> decode_order_message(std::string_view text, WallTime now);

}  // namespace director
