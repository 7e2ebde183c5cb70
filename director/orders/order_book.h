#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "director/orders/order.h"
#include "net/error.h"

namespace director {

/// All orders that a director knows, one for each subject. It is a last-writer-wins map: whichever way and however
/// often orders come, directors that know the same ones hold the same. Pure.
struct OrderBook {
  std::map<std::string, Overrides> standing{};  ///< by SERVICE/SERVER; none of them is empty
  std::map<OrderSubject, EndedOrder> ended{};   ///< of subjects that have no standing order
  std::uint64_t counter = 0;                    ///< the greatest of all orders that were ever known
  KnownOrders known{};

  auto operator<=>(const OrderBook&) const = default;
};

/// By how much one order may advance the counter, so that nobody can use it up.
inline constexpr std::uint64_t counter_jump_max = std::uint64_t{1} << 32;

[[nodiscard]] std::optional<Order> find_order(const OrderBook& book, const OrderSubject& subject);

/// Calls `visit` with each order.
void for_each_order(const OrderBook& book, const std::function<void(const Order&)>& visit);

/// The origin of an order that is given now, on this node and to this process: it comes after all that are known.
[[nodiscard]] OrderOrigin new_origin(const OrderBook& book, const OrderSubject& subject, const std::string& node,
                                     std::uint64_t process, const std::string& by);

/// Puts an order that has been given here in the place of what there was.
void give(OrderBook& book, Order order);

enum class Merged : std::uint8_t {
  known,     ///< nothing new
  replaced,  ///< it holds now; whoever gave it knew the one that held so far
  older,     ///< it does not hold: whoever gave the one that does knew it
  won,       ///< it holds now; neither giver knew of the other's order
  lost,      ///< it does not hold; neither giver knew of the other's order
};

/// Error: the counter of another director's order is out of bounds.
[[nodiscard]] net::Result<> check_counter(const OrderBook& book, const Order& order);

/// Takes an order that another director has, and whose counter is within bounds.
Merged merge(OrderBook& book, Order order);

/// Gives the orders of an earlier program, which counted none, versions that each counted one beats. True: there were
/// any.
bool adopt_uncounted(OrderBook& book, const std::string& node, std::uint64_t process);

/// Adds what `more` covers, and forgets the processes of which there is no order when they are more than a bound.
void learn(OrderBook& book, const KnownOrders& more);

}  // namespace director
