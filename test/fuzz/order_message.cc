// What another director, or who has its key, says of orders.
#include "director/orders/order_exchange.h"
#include "test/fuzz/target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const director::WallTime now{std::chrono::hours(500'000)};
  auto message = director::decode_order_message(fuzz::as_text(data, size), now);
  if (!message) return 0;
  const auto again = director::decode_order_message(encode(*message, now), now);
  fuzz::require(again && *again == *message, "a message is written as it is read");
  director::OrderBook book;
  director::OrderExchange exchange;
  exchange.set_nodes("shop", "lb1", {"lb1", "lb2", "lb3"});
  exchange.open(1);
  const net::Instant instant{std::chrono::hours(1)};
  if (!exchange.receive(book, 1, *std::move(message), instant)) return 0;
  for (int i = 0; i < 100; ++i) {
    const auto answer = exchange.next(1, book);
    if (!answer) return 0;
    fuzz::require(encode(*answer, now).size() <= director::order_message_max, "an answer is not too long");
  }
  fuzz::require(false, "there is an end to what is answered");
  return 0;
}
