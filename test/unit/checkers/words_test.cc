#include "checkers/words.h"
#include "test/catch.h"

using namespace std::chrono_literals;
using checkers::quote;
using checkers::spoken;

TEST_CASE("durations are spoken with at most two figures of detail") {
  CHECK(spoken(0s) == "0.0 ms");
  CHECK(spoken(-5s) == "0.0 ms");
  CHECK(spoken(412us) == "0.4 ms");
  CHECK(spoken(250ms) == "250 ms");
  CHECK(spoken(1s) == "1 s");
  CHECK(spoken(1500ms) == "1.5 s");
  CHECK(spoken(42s) == "42 s");
  CHECK(spoken(60s) == "1 min");
  CHECK(spoken(303s) == "5 min 3 s");
  CHECK(spoken(200min) == "3 h 20 min");
  CHECK(spoken(98h) == "4 d 2 h");
}

TEST_CASE("bytes from the network are shown harmlessly and cut short") {
  CHECK(quote("HTTP/1.1 200 OK") == R"("HTTP/1.1 200 OK")");
  CHECK(quote("a\r\n\t\"\\") == R"("a\r\n\t\"\\")");
  CHECK(quote(std::string("\x1b[2J\0\xff", 6)) == R"("\x1b[2J\x00\xff")");
  CHECK(quote("abcdef", 6) == R"("abcdef")");
  CHECK(quote("abcdef", 5) == R"("abcde"...)");
}
