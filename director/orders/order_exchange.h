#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "director/orders/order_book.h"
#include "director/orders/order_index.h"
#include "director/orders/order_message.h"
#include "net/error.h"

namespace director {

/// How directors tell each other their orders: over each connection, each side sends what the other lacks, and says
/// what it has. What a node learns over one connection it sends over the others, so that orders find their way around
/// a connection that is cut. Pure: messages and times in, messages out. The book is its caller's, and is changed by
/// nothing else.
class OrderExchange {
 public:
  using Session = std::uint64_t;  ///< a connection; never reused

  /// What this node is, and the nodes of the cluster file, itself among them.
  void set_nodes(std::string cluster, std::string self, std::set<std::string> nodes);

  /// The book as it was found on the disk.
  void load(const OrderBook& book);

  /// Puts an order that was given on this node in the place of what there was.
  void give(OrderBook& book, Order order);
  /// The time of a standing order is over; all nodes see to that by themselves.
  void end(OrderBook& book, const OrderSubject& subject, WallTime at);

  /// How long an ended order that all nodes have on their disks stays: longer than any message is under way.
  static constexpr auto message_lifetime = std::chrono::seconds(60);
  /// How long it stays at most, whoever has not been heard of.
  static constexpr auto ended_lifetime = std::chrono::days(30);
  /// Forgets ended orders that nobody can bring back any more. True: there were any.
  bool forget_ended(OrderBook& book, WallTime wall, net::Instant now);

  /// All orders that `known` covers are on this node's disk.
  void note_saved(const KnownOrders& known) { saved_ = known; }

  void open(Session session);
  void close(Session session, net::Instant now);

  /// What an order of another node has done to the book.
  struct Change {
    Order order;
    std::optional<Order> before;       ///< what the book had of its subject
    Merged merged = Merged::replaced;  ///< never `known` or `older`
  };
  struct Received {
    std::vector<Change> changes{};
    bool book_changed = false;
    std::vector<Session> outdated{};  ///< older connections with the same node: to be closed
    bool connected = false;           ///< the other has said who it is
    bool synced = false;              ///< for the first time over this connection, all that the other has was sent
  };
  /// Errors: the other is not of this cluster, or does not keep to the protocol; the connection is to be closed.
  net::Result<Received> receive(OrderBook& book, Session session, OrderMessage message, net::Instant now);

  /// The next message over a connection; nothing: there is nothing new.
  [[nodiscard]] std::optional<OrderMessage> next(Session session, const OrderBook& book);

  /// What is known of another node of the cluster file.
  struct Peer {
    HeldOrders holds{};
    std::optional<Session> session{};
    std::optional<net::Instant> lost{};  ///< when the last connection with it ended
    std::set<std::string> connected{};   ///< with whom it says that it is connected
  };
  /// By name, without this node.
  [[nodiscard]] const std::map<std::string, Peer>& peers() const { return peers_; }

  /// Whether all nodes of the cluster file have it on their disks.
  [[nodiscard]] bool is_saved_everywhere(const OrderVersion& version) const;

  /// The other end of a connection; null until it has said who it is.
  [[nodiscard]] const std::string* node_of(Session session) const;

 private:
  struct Connection {
    bool greeted = false;        ///< it was told who this node is
    std::string node{};          ///< who the other is; empty: not yet known
    bool asked = false;          ///< what the other has is known
    KnownOrders covered{};       ///< what it has, or has been sent
    std::uint64_t revision = 0;  ///< of the index, when it was last looked at
    /// Orders that came over a connection that ended before all that go with them had come: they are sent on without
    /// saying so.
    std::map<OrderSubject, OrderIndex::Place> sent_alone{};
    std::deque<OrderSubject> left{};           ///< to be sent
    std::optional<KnownOrders> batch{};        ///< what it will have been sent when they are
    bool has_sent = false;                     ///< one batch, which may have been empty
    bool synced = false;                       ///< one batch has come
    std::map<std::string, HeldOrders> told{};  ///< what it was told that nodes have
    std::optional<std::set<std::string>> told_connected{};
  };

  net::Result<> take_orders(OrderBook& book, std::vector<Order> orders, Connection& connection, Received& received);
  net::Result<> greet(Session session, Connection& connection, const OrderMessage::Hello& hello, Received& received);
  void put_orders(Connection& connection, const OrderBook& book, OrderMessage& message);
  void put_holds(Connection& connection, const OrderBook& book, OrderMessage& message);
  [[nodiscard]] std::set<std::string> connected() const;

  std::string cluster_, self_;
  OrderIndex index_;
  KnownOrders saved_;
  std::map<OrderSubject, net::Instant> confirmed_;  ///< ended orders that all have on their disks, and since when
  std::map<std::string, Peer> peers_;
  std::map<Session, Connection> connections_;
};

}  // namespace director
