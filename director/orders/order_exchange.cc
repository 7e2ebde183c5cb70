#include "director/orders/order_exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "net/check.h"

namespace director {
namespace {

/// A cluster has 200,000 servers at most, and each may be drained and weighed.
constexpr std::size_t orders_max = 400'000;

}  // namespace

void OrderExchange::set_nodes(std::string cluster, std::string self, std::set<std::string> nodes) {
  cluster_ = std::move(cluster);
  self_ = std::move(self);
  nodes.erase(self_);
  std::erase_if(peers_, [&](const auto& entry) { return !nodes.contains(entry.first); });
  for (const auto& node : nodes) peers_.try_emplace(node);
}

void OrderExchange::load(const OrderBook& book) {
  for_each_order(book, [this](const Order& order) { index_.set(order.subject, order.origin().version); });
}

void OrderExchange::give(OrderBook& book, Order order) {
  index_.set(order.subject, order.origin().version);
  confirmed_.erase(order.subject);
  director::give(book, std::move(order));
}

void OrderExchange::end(OrderBook& book, const OrderSubject& subject, WallTime at) {
  const auto order = find_order(book, subject);
  net::check(order.has_value(), "an order whose time is over is in the book");
  director::give(book, {.subject = subject, .value = EndedOrder{.origin = order->origin(), .at = at}});
}

bool OrderExchange::forget_ended(OrderBook& book, WallTime wall, net::Instant now) {
  std::vector<OrderSubject> over;
  for (const auto& [subject, ended] : book.ended) {
    if (is_saved_everywhere(ended.origin.version)) {
      const auto since = confirmed_.try_emplace(subject, now).first->second;
      if (now - since >= message_lifetime) over.push_back(subject);
    } else if (wall - ended.at >= ended_lifetime) {
      over.push_back(subject);
    }
  }
  for (const auto& subject : over) {
    book.ended.erase(subject);
    confirmed_.erase(subject);
    index_.erase(subject);
  }
  return !over.empty();
}

void OrderExchange::open(Session session) { connections_.try_emplace(session); }

void OrderExchange::close(Session session, net::Instant now) {
  connections_.erase(session);
  for (auto& [node, peer] : peers_) {
    if (peer.session != session) continue;
    peer.session.reset();
    peer.lost = now;
    peer.connected.clear();
  }
}

net::Result<> OrderExchange::greet(Session session, Connection& connection, const OrderMessage::Hello& hello,
                                   Received& received) {
  if (!connection.node.empty()) return net::failure("says who it is for a second time");
  if (hello.cluster != cluster_)
    return net::failure(fmt::format("is of cluster {}, this node is of {}", hello.cluster, cluster_));
  const auto peer = peers_.find(hello.node);
  if (peer == peers_.end()) {
    return net::failure(hello.node == self_ ? "uses the name of this node"
                                            : fmt::format("calls itself {}: no node of the cluster file", hello.node));
  }
  connection.node = hello.node;
  if (peer->second.session) received.outdated.push_back(*peer->second.session);
  peer->second.session = session;
  received.connected = true;
  return {};
}

net::Result<> OrderExchange::take_orders(OrderBook& book, std::vector<Order> orders, Connection& connection,
                                         Received& received) {
  // All are looked at before the first is taken.
  for (const auto& order : orders) {
    if (auto allowed = check_counter(book, order); !allowed) return allowed;
  }
  if (index_.size() + orders.size() > orders_max) return net::failure("sends more orders than a cluster may have");
  for (auto& order : orders) {
    auto before = find_order(book, order.subject);
    const auto merged = merge(book, order);
    if (merged == Merged::known) continue;
    received.book_changed = true;  // its counter, at least
    if (merged == Merged::older || merged == Merged::lost) {
      // Whoever holds it has forgotten a later one, or has lost its disk.
      connection.left.push_back(order.subject);
    }
    if (merged == Merged::older) continue;
    if (merged != Merged::lost) {
      index_.set(order.subject, order.origin().version);
      confirmed_.erase(order.subject);
    }
    received.changes.push_back({.order = std::move(order), .before = std::move(before), .merged = merged});
  }
  return {};
}

net::Result<OrderExchange::Received> OrderExchange::receive(OrderBook& book, Session session, OrderMessage message,
                                                            net::Instant now) {
  const auto found = connections_.find(session);
  net::check(found != connections_.end(), "a message comes over a connection that is open");
  auto& connection = found->second;
  Received received;
  if (message.hello) {
    if (auto greeted = greet(session, connection, *message.hello, received); !greeted)
      return std::unexpected(greeted.error());
  }
  if (connection.node.empty()) return net::failure("does not say who it is");
  // The cluster file may have lost it meanwhile.
  const auto peer = peers_.find(connection.node);
  if (peer == peers_.end()) return net::failure(fmt::format("{}: no node of the cluster file", connection.node));
  for (auto& [node, has] : message.holds) {
    if (node == connection.node) {
      if (!std::exchange(connection.asked, true)) connection.covered = has.held;
      add(connection.covered, has.held);
      peer->second.holds = std::move(has);
    } else if (const auto other = peers_.find(node); other != peers_.end() && !other->second.session) {
      add(other->second.holds.held, has.held);
      add(other->second.holds.saved, has.saved);
    }
  }
  if (message.connected) peer->second.connected = {message.connected->begin(), message.connected->end()};
  if (auto taken = take_orders(book, std::move(message.orders), connection, received); !taken)
    return std::unexpected(taken.error());
  if (message.sent) {
    received.synced = !std::exchange(connection.synced, true);
    add(connection.covered, *message.sent);  // whoever sends them has them
    if (!covers(book.known, *message.sent)) {
      learn(book, *message.sent);
      received.book_changed = true;
    }
  }
  for (const Session outdated : received.outdated) close(outdated, now);
  peer->second.session = session;  // also where a reload had taken the node out of the file
  return received;
}

std::optional<OrderMessage> OrderExchange::next(Session session, const OrderBook& book) {
  const auto found = connections_.find(session);
  if (found == connections_.end()) return std::nullopt;
  auto& connection = found->second;
  OrderMessage message;
  if (!std::exchange(connection.greeted, true)) {
    message.hello = {.cluster = cluster_, .node = self_};
    put_holds(connection, book, message);
    return message;
  }
  put_orders(connection, book, message);
  if (!connection.node.empty()) put_holds(connection, book, message);
  if (message == OrderMessage{}) return std::nullopt;
  return message;
}

void OrderExchange::put_orders(Connection& connection, const OrderBook& book, OrderMessage& message) {
  if (!connection.asked) return;
  if (!connection.batch) {
    const bool covered = connection.has_sent && covers(connection.covered, book.known);
    if (covered && connection.revision == index_.revision() && connection.left.empty()) return;
    connection.revision = index_.revision();
    for (auto& [subject, place] : index_.lacking(connection.covered)) {
      const auto sent = connection.sent_alone.find(subject);
      if (sent == connection.sent_alone.end() || sent->second != place) connection.left.push_back(std::move(subject));
    }
    if (covered && connection.left.empty()) return;
    connection.batch = book.known;
  }
  std::size_t bytes = 0;
  while (!connection.left.empty() && bytes < orders_bytes) {
    // It may be another one by now, which will do as well, or one that all have and that was forgotten.
    auto order = find_order(book, connection.left.front());
    connection.left.pop_front();
    if (!order || !can_be_told(*order)) continue;
    bytes += message_bytes(*order);
    const auto& version = order->origin().version;
    if (!covers(*connection.batch, version)) {
      connection.sent_alone[order->subject] = {version.process, version.counter};
    }
    message.orders.push_back(std::move(*order));
  }
  if (!connection.left.empty()) return;
  message.sent = std::exchange(connection.batch, std::nullopt);
  add(connection.covered, *message.sent);
  std::erase_if(connection.sent_alone, [&](const auto& sent) {
    const auto& [process, counter] = sent.second;
    return covers(connection.covered, {.counter = counter, .node = {}, .process = process});
  });
  connection.has_sent = true;
}

void OrderExchange::put_holds(Connection& connection, const OrderBook& book, OrderMessage& message) {
  const auto tell = [&](const std::string& node, const HeldOrders& holds) {
    if (!message.holds.empty()) return;  // the next message has room for it
    const auto [told, is_new] = connection.told.try_emplace(node);
    if (!is_new && told->second == holds) return;
    told->second = holds;
    message.holds[node] = holds;
  };
  tell(self_, {.held = book.known, .saved = saved_});
  const auto other = peers_.find(connection.node);
  if (other == peers_.end()) return;
  if (auto now = connected(); connection.told_connected != now) {
    message.connected.emplace(now.begin(), now.end());
    connection.told_connected = std::move(now);
  }
  for (const auto& [node, peer] : peers_) {
    if (node != connection.node && !other->second.connected.contains(node) && peer.holds != HeldOrders{})
      tell(node, peer.holds);
  }
}

std::set<std::string> OrderExchange::connected() const {
  std::set<std::string> nodes;
  for (const auto& [node, peer] : peers_) {
    if (peer.session) nodes.insert(node);
  }
  return nodes;
}

bool OrderExchange::is_saved_everywhere(const OrderVersion& version) const {
  return covers(saved_, version) &&
         std::ranges::all_of(peers_, [&](const auto& entry) { return covers(entry.second.holds.saved, version); });
}

const std::string* OrderExchange::node_of(Session session) const {
  const auto found = connections_.find(session);
  return found == connections_.end() || found->second.node.empty() ? nullptr : &found->second.node;
}

}  // namespace director
