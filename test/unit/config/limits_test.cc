// What a file cannot do to whoever reads it, by its size, its aliases or its mistakes.

#include <stop_token>
#include <string>

#include "config/load.h"
#include "test/catch.h"
#include "test/unit/processor_time.h"

using namespace std::chrono_literals;

namespace {

constexpr auto head = "cluster: c\nservices:\n";

std::string service(const std::string& name, int port, const std::string& rest) {
  return "  " + name + ":\n    listen: 192.0.2.1:" + std::to_string(port) + "\n" + rest;
}

std::string all_of(const config::Refusal& found) { return config::to_string(found); }

}  // namespace

TEST_CASE("a range of the same address is refused in no time") {
  const auto text = head + service("web", 80, "    servers:\n      web(1-100000): { address: 10.0.0.1 }\n");
  const auto before = processor_time();
  const auto loaded = config::load_text("f", text);
  CHECK(processor_time() - before < 10s);
  REQUIRE_FALSE(loaded);
  CHECK_THAT(all_of(loaded.error()), Catch::ContainsSubstring("is already used by server 'web1'"));
}

TEST_CASE("aliases do not get more servers into a cluster than ranges do") {
  std::string text = "cluster: c\nservices:\n";
  std::string servers = "    servers: &servers\n";
  for (int i = 0; i < 250; ++i) {
    servers += "      w" + std::to_string(i) + ": { address: 10.0.0." + std::to_string(i + 1) + " }\n";
  }
  text += service("s0", 1000, servers);
  for (int i = 1; i < 1000; ++i) text += service("s" + std::to_string(i), 1000 + i, "    servers: *servers\n");
  auto loaded = config::load_text("f", text);
  REQUIRE_FALSE(loaded);
  CHECK_THAT(all_of(loaded.error()), Catch::ContainsSubstring("the services up to here have more than 200000 servers"));

  SECTION("nor does a range that they share") {
    text = "cluster: c\nservices:\n";
    text += service("s0", 1000, "    servers: &servers\n      w(1-250): { address: 10.0.0.(1-250) }\n");
    for (int i = 1; i < 1000; ++i) text += service("s" + std::to_string(i), 1000 + i, "    servers: *servers\n");
    loaded = config::load_text("f", text);
    REQUIRE_FALSE(loaded);
    CHECK_THAT(all_of(loaded.error()),
               Catch::ContainsSubstring("the services up to here have more than 200000 servers"));
  }
  SECTION("nor does a merge") {
    text = "cluster: c\nservices:\n" + service("s0", 1000, servers);
    for (int i = 1; i < 1000; ++i)
      text += service("s" + std::to_string(i), 1000 + i, "    servers: { <<: *servers }\n");
    loaded = config::load_text("f", text);
    REQUIRE_FALSE(loaded);
    CHECK_THAT(all_of(loaded.error()),
               Catch::ContainsSubstring("the services up to here have more than 200000 servers"));
  }
}

TEST_CASE("a cluster has a bounded number of services") {
  std::string text = "cluster: c\ndefaults: { service: &s { listen: 192.0.2.1:80 } }\nservices:\n";
  for (int i = 0; i < 100'001; ++i) text += "  s" + std::to_string(i) + ": *s\n";
  const auto loaded = config::load_text("f", text);
  REQUIRE_FALSE(loaded);
  CHECK_THAT(all_of(loaded.error()), Catch::ContainsSubstring("there are more than 100000 services"));
}

TEST_CASE("what defaults give to each service takes bounded memory too") {
  std::string text = "cluster: c\ndefaults:\n  service:\n    checks:\n";
  for (int i = 0; i < 2000; ++i) text += "      - tcp: {}\n";
  text += "services:\n";
  for (int i = 0; i < 2000; ++i)
    text += service("s" + std::to_string(i), 1000 + i, "    servers: { w: { address: 10.0.0.1 } }\n");
  const auto loaded = config::load_text("f", text);
  REQUIRE_FALSE(loaded);
  CHECK_THAT(all_of(loaded.error()), Catch::ContainsSubstring("aliases and defaults up to here give too many values"));
}

TEST_CASE("a file that is wrong throughout is refused after some thousand mistakes") {
  std::string text = head + service("web", 80, "    servers: {}\n");
  for (int i = 0; i < 40'000; ++i) text += "    intervall" + std::to_string(i) + ": 1\n";
  const auto loaded = config::load_text("f", text);
  REQUIRE_FALSE(loaded);
  REQUIRE(loaded.error().size() == 101);
  CHECK(loaded.error().back().message == "at least 9900 more messages are not shown");
}

TEST_CASE("a line of many megabytes is not repeated with each of its mistakes") {
  std::string text = "cluster: c\nservices: {";
  for (int i = 0; i < 300; ++i) text += "s" + std::to_string(i) + ": { listn: " + std::string(20'000, 'x') + " }, ";
  text += "}\n";
  const auto loaded = config::load_text("f", text);
  REQUIRE_FALSE(loaded);
  std::size_t size = 0;
  for (const auto& each : loaded.error()) size += each.source.size() + each.message.size();
  CHECK(size < 1'000'000);
}

TEST_CASE("reading ends when it is asked to") {
  std::string text = head;
  for (int i = 0; i < 60'000; ++i) {
    text += service("s" + std::to_string(i), 1 + i, "    servers: { w: { address: 10.0.0.1 } }\n");
  }
  const auto began = processor_time();
  REQUIRE(config::load_text("f", text));
  const auto whole = processor_time() - began;

  std::stop_source stop;
  stop.request_stop();
  const auto again = processor_time();
  const auto loaded = config::load_text("f", std::move(text), nullptr, stop.get_token());
  CHECK(processor_time() - again < whole / 10);
  REQUIRE_FALSE(loaded);
  CHECK(all_of(loaded.error()) == "f: error: reading it was stopped\n");
}
