#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "director/engine/cluster_in_force.h"
#include "director/engine/event_log.h"
#include "director/engine/observed_state.h"
#include "director/engine/request_error.h"
#include "director/engine/state_store.h"
#include "director/orders/order_exchange.h"
#include "net/loop.h"

namespace director {

class Reconciler;

/// What operators want of servers, here or on other directors: in force at once, remembered over restarts, and over
/// when its time is.
class OperatorOverrides {
 public:
  /// All must outlive this.
  OperatorOverrides(net::Loop& loop, const ClusterInForce& in_force, EventLog& log, StateStore& store,
                    Reconciler& reconciler)
      : loop_(loop), in_force_(in_force), log_(log), store_(store), reconciler_(reconciler) {}
  ~OperatorOverrides();
  OperatorOverrides(const OperatorOverrides&) = delete;
  OperatorOverrides& operator=(const OperatorOverrides&) = delete;

  /// Goes on from what the state store has; `process` is a random number of this process.
  void open(std::uint64_t process);
  /// The file in force names other nodes.
  void note_file();

  /// Takes a server out of service until undrain(): no new connections, and its open ones live on, but no longer than
  /// `within`; then it leaves the table. `by` is the user, as in OrderOrigin. Error: no such server.
  RequestResult<std::string> drain(const std::string& service, const std::string& server, const std::string& reason,
                                   std::optional<std::chrono::seconds> within = {}, const std::string& by = {});

  /// Takes that back, also for a server that has left the file since.
  RequestResult<std::string> undrain(const std::string& service, const std::string& server, const std::string& by = {});

  /// Gives a server another weight than the file does, until it is taken back with none or for `time`.
  RequestResult<std::string> set_weight(const std::string& service, const std::string& server,
                                        std::optional<std::uint32_t> weight, const std::string& reason = {},
                                        std::optional<std::chrono::seconds> time = {}, const std::string& by = {});

  /// Ends the weights whose time is over.
  void expire_weights();

  // The connections with other directors; see OrderExchange.
  void open_session(OrderExchange::Session session) { exchange_.open(session); }
  void close_session(OrderExchange::Session session) { exchange_.close(session, loop_.now()); }
  /// What another director says: its orders are in force at once.
  net::Result<OrderExchange::Received> receive(OrderExchange::Session session, OrderMessage message);
  [[nodiscard]] std::optional<OrderMessage> next_message(OrderExchange::Session session);
  [[nodiscard]] const OrderExchange& exchange() const { return exchange_; }
  [[nodiscard]] const OrderBook& orders() const { return store_.state().orders; }
  [[nodiscard]] std::uint64_t process() const { return process_; }
  /// The time by which orders end.
  [[nodiscard]] net::WallTime now() const { return store_.now(); }

 private:
  void give(const std::string& server, OrderValue value, OrderKind kind, const std::string& by);
  void report(const OrderExchange::Change& change);
  void end_weight(const std::string& name);
  void forget_ended();
  [[nodiscard]] RequestError no_server(const std::string& service, const std::string& server) const;

  net::Loop& loop_;
  const ClusterInForce& in_force_;
  EventLog& log_;
  StateStore& store_;
  Reconciler& reconciler_;
  std::uint64_t process_ = 0;
  OrderExchange exchange_;
  net::Loop::Id timer_ = 0;         ///< when the next weight is over
  net::Loop::Id forget_timer_ = 0;  ///< when ended orders are looked at
};

/// What the overrides of a server ask of it now.
[[nodiscard]] AdminState admin_state_in(const Overrides& overrides, net::WallTime now);

}  // namespace director
