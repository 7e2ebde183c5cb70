#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "director/orders/order_exchange.h"
#include "test/sim/orders/mutation.h"

namespace order_sim {

using director::OrderBook;
using director::OrderExchange;
using net::Duration;
using net::Instant;
using net::WallTime;

/// A director as far as its orders go: the exchange, a book in memory, a disk that takes its time, and a clock that is
/// wrong by some minutes.
class Director {
 public:
  Director(std::string name, Duration clock_error, Mutation mutation)
      : name_(std::move(name)), clock_error_(clock_error), mutation_(mutation) {}

  void start(std::uint64_t process, const std::set<std::string>& nodes);
  /// What the disk does not have is lost.
  void crash();
  void lose_disk() {
    disk_ = {};
    knows_nothing_ = true;
  }
  /// It has lost its disk, and has not heard from another since: an older order may beat one that is given to it.
  [[nodiscard]] bool knows_nothing() const { return knows_nothing_; }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool runs() const { return exchange_.has_value(); }
  [[nodiscard]] const OrderBook& book() const { return book_; }
  [[nodiscard]] const OrderBook& disk() const { return disk_; }
  [[nodiscard]] const OrderExchange& exchange() const { return *exchange_; }
  [[nodiscard]] WallTime wall(Instant now) const {
    return WallTime(std::chrono::hours(500'000)) +
           std::chrono::duration_cast<WallTime::duration>(now.time_since_epoch() + clock_error_);
  }

  /// What an operator wants; `value` is without its origin. Returns the order as it was given.
  director::Order order(director::Order wanted);
  void save();
  /// What is over by its time, and what all have.
  void tidy(Instant now);

  void open(OrderExchange::Session session) { exchange_->open(session); }
  void close(OrderExchange::Session session, Instant now);
  /// Takes a message; the error ends the connection.
  [[nodiscard]] net::Result<std::vector<OrderExchange::Session>> receive(OrderExchange::Session session,
                                                                         const std::string& text, Instant now);
  [[nodiscard]] std::optional<std::string> next(OrderExchange::Session session, Instant now);

 private:
  std::string name_;
  Duration clock_error_;
  Mutation mutation_;
  std::uint64_t process_ = 0, own_counter_ = 0;
  OrderBook book_, disk_;
  bool knows_nothing_ = false;
  std::optional<OrderExchange> exchange_;
};

}  // namespace order_sim
