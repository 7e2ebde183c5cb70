#include "checkers/text.h"
#include "test/catch.h"

using namespace std::chrono_literals;
using checkers::format_duration;
using checkers::quote;

TEST_CASE("durations are formatted with at most two figures of detail") {
  CHECK(format_duration(0s) == "0.0 ms");
  CHECK(format_duration(-5s) == "0.0 ms");
  CHECK(format_duration(412us) == "0.4 ms");
  CHECK(format_duration(250ms) == "250 ms");
  CHECK(format_duration(1s) == "1 s");
  CHECK(format_duration(1500ms) == "1.5 s");
  CHECK(format_duration(42s) == "42 s");
  CHECK(format_duration(60s) == "1 min");
  CHECK(format_duration(303s) == "5 min 3 s");
  CHECK(format_duration(200min) == "3 h 20 min");
  CHECK(format_duration(98h) == "4 d 2 h");
}

TEST_CASE("bytes from the network are shown harmlessly and cut short") {
  CHECK(quote("HTTP/1.1 200 OK") == R"("HTTP/1.1 200 OK")");
  CHECK(quote("a\r\n\t\"\\") == R"("a\r\n\t\"\\")");
  CHECK(quote(std::string("\x1b[2J\0\xff", 6)) == R"("\x1b[2J\x00\xff")");
  CHECK(quote("abcdef", 6) == R"("abcdef")");
  CHECK(quote("abcdef", 5) == R"("abcde"...)");
}
