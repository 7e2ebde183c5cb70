#include "config/schema/values.h"
#include "test/catch.h"

using namespace std::chrono_literals;

TEST_CASE("durations are exact") {
  const std::vector<std::pair<std::string, std::chrono::milliseconds>> table = {
      {"0s", 0ms},         {"1ms", 1ms},      {"250ms", 250ms}, {"2s", 2s},
      {"1.5s", 1500ms},    {"0.001s", 1ms},   {"5m", 5min},     {"1.5h", 90min},
      {"40.95s", 40950ms}, {"0.0005m", 30ms}, {"007s", 7s},     {"999999999h", 999999999h}};
  for (const auto& [text, value] : table) {
    INFO(text);
    CHECK(config::parse_duration(text) == value);
  }
}

TEST_CASE("what is no duration is refused with a hint") {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", "; a duration is a number with its unit: 250ms, 2s, 5m or 1h"},
      {"s", "; a duration is a number with its unit: 250ms, 2s, 5m or 1h"},
      {"-1s", "; a duration is a number with its unit: 250ms, 2s, 5m or 1h"},
      {"1.s", "; a duration is a number with its unit: 250ms, 2s, 5m or 1h"},
      {".5s", "; a duration is a number with its unit: 250ms, 2s, 5m or 1h"},
      {"1.2.3s", "; a duration is a number with its unit: 250ms, 2s, 5m or 1h"},
      {"5", "; the unit is missing: 5ms, 5s, 5m or 5h"},
      {"5S", "; the units are ms, s, m and h, not 'S'"},
      {"5s ", "; the units are ms, s, m and h, not 's '"},
      {"1d", "; the units are ms, s, m and h, not 'd'"},
      {"0.5ms", "; the smallest unit is one millisecond"},
      {"9999999999h", ""},
      {"1.0000000000s", ""}};
  for (const auto& [text, hint] : table) {
    INFO(text);
    const auto parsed = config::parse_duration(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error() == hint);
  }
}

TEST_CASE("an integer is decimal and within its bounds") {
  CHECK(config::parse_integer("0", 0, 255) == 0);
  CHECK(config::parse_integer("255", 0, 255) == 255);
  CHECK(config::parse_integer("-5", -10, 0) == -5);
  for (const std::string text :
       {"", "-", "256", "-1", "1.0", "0x10", "1_000", " 1", "1 ", "+1", "010", "00", "99999999999999999999", "1e2"}) {
    INFO(text);
    CHECK_FALSE(config::parse_integer(text, 0, 255));
  }
}

TEST_CASE("an endpoint's port may be left out") {
  const auto shown = [](std::string_view text) {
    const auto parsed = config::parse_endpoint(text);
    return parsed ? to_string(*parsed) : "refused" + parsed.error();
  };
  CHECK(shown("192.0.2.1") == "192.0.2.1:0");
  CHECK(shown("192.0.2.1:80") == "192.0.2.1:80");
  CHECK(shown("2001:db8::1") == "[2001:db8::1]:0");
  CHECK(shown("[2001:db8::1]") == "[2001:db8::1]:0");
  CHECK(shown("[2001:db8::1]:80") == "[2001:db8::1]:80");
  CHECK(shown("192.0.2.1:0") == "refused; a port is a number from 1 to 65535, not '0'");
  CHECK(shown("192.0.2.1:") == "refused; a port is a number from 1 to 65535, not ''");
  CHECK(shown("web.example.com:80") == "refused; names are not looked up");
  CHECK(shown("localhost") == "refused; names are not looked up");
  for (const auto* text : {"", ":", ":80", "[", "[]", "[2001:db8::1", "[2001:db8::1]x", "[192.0.2.1]:80", "1.2.3:80"}) {
    INFO(text);
    CHECK(shown(text) == "refused");
  }
}

TEST_CASE("a name is fit for commands and file names") {
  for (const auto* good : {"a", "web-1", "lb1.example.com", "_x", "0", "A_b.c-d"}) CHECK(config::is_name(good));
  for (const auto* bad : {"", ".", "..", "-a", "a/b", "a b", "\xc3\xa4", "a\n"}) CHECK_FALSE(config::is_name(bad));
  CHECK(config::is_name(std::string(63, 'x')));
  CHECK_FALSE(config::is_name(std::string(64, 'x')));
}
