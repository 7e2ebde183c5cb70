#include "director/orders/order_message.h"

#include "director/orders/order_book.h"
#include "test/catch.h"

using director::decode_order_message;
using director::EndedOrder;
using director::KnownOrders;
using director::Order;
using director::OrderKind;
using director::OrderMessage;
using director::Overrides;
using director::WallTime;
using namespace std::chrono_literals;

namespace {

const WallTime now{std::chrono::seconds(1'796'000'000)};

OrderMessage all_parts() {
  const director::OrderOrigin origin{.version = {.counter = 7, .node = "lb1", .process = 0xfedcba9876543210},
                                     .replaces = {.counter = 6, .node = "lb2", .process = 1},
                                     .by = "root"};
  return {
      .hello = OrderMessage::Hello{.cluster = "shop", .node = "lb1"},
      .orders = {{.subject = {.server = "web/web1", .kind = OrderKind::drain},
                  .value =
                      Overrides::Drain{.since = now - 5min, .reason = "disk", .deadline = now + 30s, .origin = origin}},
                 {.subject = {.server = "web/web1", .kind = OrderKind::weight},
                  .value =
                      Overrides::Weight{.value = 40, .since = now - 1s, .reason = "", .until = {}, .origin = origin}},
                 {.subject = {.server = "web/web2", .kind = OrderKind::drain},
                  .value = EndedOrder{.origin = origin, .at = now - 2s}}},
      .sent = KnownOrders{{1, 6}, {0xfedcba9876543210, 7}},
      .holds = {{"lb1", {.held = {{1, 6}}, .saved = {}}}, {"lb3", {.held = {{1, 5}}, .saved = {{1, 5}}}}},
      .connected = {{"lb2", "lb3"}},
      .reports = {
          .node = director::NodeReport{.version = "0.2.0",
                                       .files = "0123456789abcdef",
                                       .not_ready = "server web/web1 has no check result yet",
                                       .routers = {{"front", "backup"}},
                                       .problems = {"service web: service_no_quorum"},
                                       .problem_count = 9},
          .services = {{"web", director::ServiceReport{.table = "fedcba9876543210",
                                                       .in_service = 1,
                                                       .servers = 2,
                                                       .down = {{"web1", {.reason = "refused", .since = now - 3min}}},
                                                       .up = {{"web2", "status 200"}}}},
                       {"gone", std::nullopt}}}};
}

}  // namespace

TEST_CASE("a message says what it is made of") {
  const auto message = all_parts();
  const auto read = decode_order_message(encode(message, now), now);
  REQUIRE(read);
  CHECK(*read == message);
  CHECK(*decode_order_message(director::encode({}, now), now) == OrderMessage{});
}

TEST_CASE("a version that counts 0 names no order, whatever else it says") {
  const auto read = decode_order_message(
      R"({"orders": [{"server": "web/web1", "kind": "drain", "counter": 5, "node": "lb2", "process": "0000000000000001",
          "replaces": {"counter": 0, "node": "lb1", "process": "0000000000000002"}}]})",
      now);
  REQUIRE(read);
  CHECK(read->orders[0].origin().replaces == director::OrderVersion{});
}

TEST_CASE("times are told as how long ago and how long still, since clocks differ") {
  const auto read = decode_order_message(encode(all_parts(), now), now - 10min);
  REQUIRE(read);
  const auto& drain = std::get<Overrides::Drain>(read->orders[0].value);
  CHECK(drain.since == now - 15min);
  CHECK(drain.deadline == now - 10min + 30s);
  CHECK(read->reports.services.at("web")->down.at("web1").since == now - 13min);
}

TEST_CASE("what anybody may have written is refused, and says why") {
  const auto why = [](std::string_view text) {
    const auto read = decode_order_message(text, now);
    return read ? "" : read.error().message;
  };
  CHECK(why("[]") == "message of orders: not an object");
  CHECK(why(R"({"hello": {"cluster": "shop"}})") == "message of orders: without node");
  CHECK(why(R"({"orders": [{"server": "web1"}]})") == "message of orders: not a server");
  const auto order = [](const std::string& kind, int counter) {
    return R"({"orders": [{"server": "web/web1", "node": "a", "weight": 65536, "process": "0000000000000001", )" +
           std::string(R"("kind": ")") + kind + R"(", "counter": )" + std::to_string(counter) + "}]}";
  };
  CHECK(why(order("stop", 1)) == "message of orders: not a kind of order");
  CHECK(why(order("drain", 0)) == "message of orders: not a counter");
  CHECK(why(order("weight", 1)) == "message of orders: not a weight: 65536");
  CHECK(why(order("drain", 1)).empty());
  CHECK(why(R"({"sent": {"1": 1}})") == "message of orders: not a process");
  CHECK(why(R"({"connected": [""]})") == "message of orders: an empty node");
  CHECK(why(R"({"services": {"": null}})") == "message of orders: not a service");
  CHECK(why(R"({"services": {"web": {"table": "", "in_service": -1, "servers": 2}}})") != "");
  CHECK(why(R"({"services": {"web": {"table": "", "in_service": 1, "servers": 2, "down": []}}})") != "");
  CHECK(why(R"({"node": {"version": "1", "files": "", "problem_count": 0, "problems": []}})") != "");
  CHECK(why(std::string(director::order_message_max + 1, ' ')) == "message of orders: too long");
  CHECK(why(std::string(1000, '[')).starts_with("message of orders: "));
}

TEST_CASE("nobody can use the counter up") {
  director::OrderBook book;
  book.counter = 5;
  Order order = all_parts().orders[0];
  auto& version = std::get<Overrides::Drain>(order.value).origin.version;
  version.counter = 5 + director::counter_jump_max;
  CHECK(check_counter(book, order));
  ++version.counter;
  CHECK_FALSE(check_counter(book, order));
}
