#include "director/orders/report_exchange.h"

#include <fmt/format.h>

#include "director/orders/order_message.h"
#include "test/catch.h"

using director::NodeReport;
using director::OrderMessage;
using director::ReportExchange;
using director::Reports;
using director::ServiceReport;

namespace {

const director::WallTime now{std::chrono::seconds(1'796'000'000)};

/// All that one node has for the other, each message within its bound; how many it took.
int tell(ReportExchange& from, ReportExchange& to, const std::string& name) {
  int messages = 0;
  while (auto reports = from.next(1)) {
    const auto text = encode(OrderMessage{.reports = *reports}, now);
    CHECK(text.size() <= director::order_message_max);
    auto read = director::decode_order_message(text, now);
    REQUIRE(read);
    CHECK(read->reports == *reports);
    REQUIRE(to.receive(1, name, std::move(read->reports)));
    ++messages;
  }
  return messages;
}

}  // namespace

TEST_CASE("over each connection a node tells all once, and then what changes") {
  ReportExchange lb1, lb2;
  lb1.set_node({.version = "1"});
  for (int i = 0; i < 2000; ++i) lb1.set_service(fmt::format("web{}", i), ServiceReport{.table = "a", .servers = 4});
  for (auto* node : {&lb1, &lb2}) node->open(1);
  CHECK(tell(lb1, lb2, "lb1") > 1);
  CHECK(lb2.peers().at("lb1").node.version == "1");
  CHECK(lb2.peers().at("lb1").services == lb1.own_services());
  CHECK_FALSE(lb1.next(1));

  CHECK_FALSE(lb1.set_service("web7", ServiceReport{.table = "a", .servers = 4}));
  CHECK_FALSE(lb1.next(1));
  CHECK(lb1.set_service("web7", ServiceReport{.table = "b", .servers = 4}));
  CHECK(lb1.set_service("web8", std::nullopt));
  const auto part = lb1.next(1);
  REQUIRE(part);
  CHECK(part->services.size() == 2);
  CHECK_FALSE(part->node);
  REQUIRE(lb2.receive(1, "lb1", *part));
  CHECK(lb2.peers().at("lb1").services == lb1.own_services());
}

TEST_CASE("what a node said is forgotten with its connection, and begun anew with the next") {
  ReportExchange lb1, lb2;
  lb1.set_service("old", ServiceReport{.table = "a"});
  for (auto* node : {&lb1, &lb2}) node->open(1);
  tell(lb1, lb2, "lb1");
  REQUIRE(lb2.receive(2, "lb1", {.services = {{"new", ServiceReport{.table = "a"}}}}));  // before the first is closed
  CHECK(lb2.peers().at("lb1").services.size() == 1);
  lb2.close(1);
  CHECK(lb2.peers().contains("lb1"));
  lb2.close(2);
  CHECK(lb2.peers().empty());
}

TEST_CASE("a node that tells of more services than it may have is refused") {
  ReportExchange exchange;
  exchange.open(1);
  net::Result<> done;
  for (std::size_t i = 0; done && i <= ReportExchange::services_max; ++i) {
    Reports one;
    one.services[fmt::format("s{}", i)] = ServiceReport{};
    done = exchange.receive(1, "lb1", std::move(one));
  }
  REQUIRE_FALSE(done);
  CHECK(done.error().message == "message of reports: more services than a node may have");
}

TEST_CASE("texts that are too long are cut for a message, at the end of a character") {
  std::string text;
  while (text.size() < 400) text += "\u00e9";
  const Reports reports{.node = NodeReport{.version = text}};
  const auto read = director::decode_order_message(encode(OrderMessage{.reports = reports}, now), now);
  REQUIRE(read);
  CHECK(read->reports.node->version.size() <= 300);
  CHECK(read->reports.node->version.ends_with("\u00e9..."));
}
