#include "director/orders/order_exchange.h"

#include "test/catch.h"

using director::EndedOrder;
using director::KnownOrders;
using director::Merged;
using director::Order;
using director::OrderBook;
using director::OrderExchange;
using director::OrderKind;
using director::OrderMessage;
using director::Overrides;
using director::WallTime;
using namespace std::chrono_literals;

namespace {

const net::Instant now{1h};
const WallTime wall{std::chrono::hours(500'000)};

struct Node {
  std::string name;
  std::uint64_t process;
  OrderBook book{};
  OrderExchange exchange{};

  Node(std::string called, std::uint64_t number) : name(std::move(called)), process(number) {
    exchange.set_nodes("shop", name, {"lb1", "lb2", "lb3"});
    exchange.open(1);
  }

  void drain(const std::string& server) {
    Order order{.subject = {.server = server, .kind = OrderKind::drain},
                .value = Overrides::Drain{.since = wall, .reason = ""}};
    std::get<Overrides::Drain>(order.value).origin = new_origin(book, order.subject, name, process, "root");
    exchange.give(book, std::move(order));
  }
  void undrain(const std::string& server) {
    Order order{.subject = {.server = server, .kind = OrderKind::drain}, .value = EndedOrder{.origin = {}, .at = wall}};
    std::get<EndedOrder>(order.value).origin = new_origin(book, order.subject, name, process, "root");
    exchange.give(book, std::move(order));
  }
  [[nodiscard]] bool drains(const std::string& server) const { return book.standing.contains(server); }
};

/// Carries messages both ways until neither has more; returns how many there were.
int exchange_all(Node& a, Node& b) {
  int messages = 0;
  for (bool more = true; more;) {
    more = false;
    for (auto [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      auto message = from->exchange.next(1, from->book);
      if (!message) continue;
      more = true;
      ++messages;
      REQUIRE(to->exchange.receive(to->book, 1, *std::move(message), now));
    }
  }
  return messages;
}

OrderMessage hello(const std::string& node, const std::string& cluster = "shop") {
  return {.hello = OrderMessage::Hello{.cluster = cluster, .node = node}};
}

}  // namespace

TEST_CASE("an order reaches the other, and what comes after it replaces it") {
  Node lb1("lb1", 11), lb2("lb2", 22);
  lb1.drain("web/web1");
  exchange_all(lb1, lb2);
  CHECK(lb2.drains("web/web1"));
  CHECK(lb1.exchange.peers().at("lb2").holds.held == lb1.book.known);
  lb2.undrain("web/web1");
  exchange_all(lb1, lb2);
  CHECK_FALSE(lb1.drains("web/web1"));
  CHECK(exchange_all(lb1, lb2) == 0);
}

TEST_CASE("of two orders that do not know of each other the same holds everywhere") {
  Node lb1("lb1", 11), lb2("lb2", 22);
  lb1.drain("web/web1");
  exchange_all(lb1, lb2);
  lb1.undrain("web/web1");
  lb2.drain("web/web1");  // the same counter: the later name
  auto message = lb2.exchange.next(1, lb2.book);
  const auto received = lb1.exchange.receive(lb1.book, 1, *std::move(message), now);
  REQUIRE(received);
  REQUIRE(received->changes.size() == 1);
  CHECK(received->changes[0].merged == Merged::won);
  exchange_all(lb1, lb2);
  CHECK(lb1.drains("web/web1"));
  CHECK(lb2.drains("web/web1"));
}

TEST_CASE("an ended order is forgotten when all have it on their disks, and a minute has passed") {
  Node lb1("lb1", 11), lb2("lb2", 22);
  lb1.drain("web/web1");
  lb1.undrain("web/web1");
  exchange_all(lb1, lb2);
  lb1.exchange.note_saved(lb1.book.known);
  CHECK_FALSE(lb1.exchange.forget_ended(lb1.book, wall, now));
  lb2.exchange.note_saved(lb2.book.known);
  exchange_all(lb1, lb2);
  CHECK_FALSE(lb1.exchange.forget_ended(lb1.book, wall + 1h, now + 1h));  // lb3 has not been heard of
  lb1.exchange.set_nodes("shop", "lb1", {"lb1", "lb2"});
  CHECK_FALSE(lb1.exchange.forget_ended(lb1.book, wall + 1h, now + 1h));
  CHECK(lb1.exchange.forget_ended(lb1.book, wall + 1h, now + 1h + OrderExchange::message_lifetime));
  CHECK(lb1.book.ended.empty());
}

TEST_CASE("whoever has been away for longer than a month is not waited for") {
  Node lb1("lb1", 11);
  lb1.drain("web/web1");
  lb1.undrain("web/web1");
  CHECK_FALSE(lb1.exchange.forget_ended(lb1.book, wall + OrderExchange::ended_lifetime - 1s, now));
  CHECK(lb1.exchange.forget_ended(lb1.book, wall + OrderExchange::ended_lifetime, now));
}

TEST_CASE("who is no node of the cluster, or keeps to no protocol, changes nothing") {
  Node lb2("lb2", 22);
  lb2.drain("web/web1");
  const auto why = [&](OrderMessage message, bool greeted = false) {
    Node fresh("lb1", 11);
    if (greeted) REQUIRE(fresh.exchange.receive(fresh.book, 1, hello("lb2"), now));
    const auto received = fresh.exchange.receive(fresh.book, 1, std::move(message), now);
    CHECK(fresh.book == OrderBook{});
    return received ? "" : received.error().message;
  };
  CHECK(why(hello("lb2", "bank")) == "is of cluster bank, this node is of shop");
  CHECK(why(hello("lb9")) == "calls itself lb9: no node of the cluster file");
  CHECK(why(hello("lb1")) == "uses the name of this node");
  const auto order = *find_order(lb2.book, {.server = "web/web1", .kind = OrderKind::drain});
  CHECK(why({.orders = {order}}) == "does not say who it is");
  CHECK(why(hello("lb2"), true) == "says who it is for a second time");
  auto greedy = order;
  std::get<Overrides::Drain>(greedy.value).origin.version.counter = director::counter_jump_max + 1;
  CHECK(why({.orders = {order, greedy}}, true).starts_with("order of web/web1: its counter 4294967297"));
}

TEST_CASE("the same orders over and over change nothing, and are answered with nothing") {
  Node lb1("lb1", 11), lb2("lb2", 22);
  lb2.drain("web/web1");
  exchange_all(lb1, lb2);
  const auto before = lb1.book;
  const auto order = *find_order(lb2.book, {.server = "web/web1", .kind = OrderKind::drain});
  for (int i = 0; i < 10'000; ++i) {
    const auto received = lb1.exchange.receive(lb1.book, 1, {.orders = {order}, .sent = lb2.book.known}, now);
    REQUIRE(received);
    CHECK_FALSE(received->book_changed);
    CHECK_FALSE(lb1.exchange.next(1, lb1.book));
  }
  CHECK(lb1.book == before);
}
