#include "vrrp/sequences.h"

#include "test/catch.h"

using namespace std::chrono_literals;
using vrrp::Instant;
using vrrp::Sequences;

namespace {

constexpr std::uint64_t second = 1'000'000;
constexpr std::uint64_t hour = 3600 * second;
constexpr std::uint64_t day = 1'700'000'000 * second;  // what the clock on the wall says
const Instant start{1h};
const net::Address other = net::Address::parse("10.0.0.1").value();
const net::Address third = net::Address::parse("10.0.0.3").value();

}  // namespace

TEST_CASE("own sequences rise with the monotonic time, wherever the clock on the wall goes") {
  Sequences own;
  CHECK(own.next(start, day) == day);
  CHECK(own.next(start, day) == day + 1);
  CHECK(own.next(start + 1s, day + hour) == day + second);
  CHECK(own.next(start + 2s, day - hour) == day + 2 * second);
}

TEST_CASE("who answers no challenges is believed once, and at first within five minutes") {
  Sequences heard;
  CHECK_FALSE(heard.note_advert(other, day - 301 * second, start, day));
  CHECK(heard.note_advert(other, day - 300 * second, start, day));
  CHECK_FALSE(heard.note_advert(other, day - 300 * second, start, day));
  CHECK(heard.note_advert(other, day + hour, start, day));
  CHECK_FALSE(heard.note_advert(other, day, start + 1h, day));
  CHECK(heard.note_hello(other, day, start, day));
  CHECK_FALSE(heard.note_hello(other, day, start, day));
}

TEST_CASE("at first sight a sequence is fresh where the clocks agree") {
  const auto is_fresh = [](std::uint64_t sequence) {
    return Sequences().note_fresh_advert(other, sequence, start, day) &&
           Sequences().note_fresh_question(other, sequence, start, day);
  };
  CHECK(is_fresh(day - 2 * second));
  CHECK(is_fresh(day + 2 * second));
  for (const std::uint64_t doubtful :
       {day - 2 * second - 1, day + 2 * second + 1, std::uint64_t{0}, ~std::uint64_t{0}}) {
    INFO(doubtful);
    CHECK_FALSE(Sequences().note_fresh_advert(other, doubtful, start, day));
    CHECK_FALSE(Sequences().note_fresh_question(other, doubtful, start, day));
  }
}

TEST_CASE("later ones are fresh as far as time has passed, and a second further") {
  Sequences heard;
  REQUIRE(heard.note_fresh_advert(other, day, start, day));
  CHECK_FALSE(heard.note_fresh_advert(other, day, start + 10s, day));
  CHECK_FALSE(heard.note_fresh_advert(other, day + 11 * second + 1, start + 10s, day));
  SECTION("whatever the clock on the wall says") {
    CHECK(heard.note_fresh_advert(other, day + 11 * second, start + 10s, day + hour));
  }
  SECTION("from there on") {
    CHECK(heard.note_fresh_advert(other, day + second, start + 10s, day));
    CHECK_FALSE(heard.note_fresh_advert(other, day + 11 * second, start + 10s, day));
  }
  SECTION("each source by itself") { CHECK(heard.note_fresh_advert(third, day + second, start, day)); }
  SECTION("a question is newer than the last hello too, and no measure for adverts") {
    CHECK(heard.note_fresh_question(other, day + 5 * second, start + 10s, day));
    CHECK_FALSE(heard.note_fresh_question(other, day + 5 * second, start + 10s, day));
    CHECK(heard.note_fresh_advert(other, day + 4 * second, start + 10s, day));
  }
}

TEST_CASE("an answer says where a sender's sequences are, also below what was heard") {
  Sequences heard;
  REQUIRE(heard.note_fresh_advert(other, day, start, day));
  for (const std::uint64_t answer : {day - hour, day + hour}) {
    INFO(answer);
    CHECK_FALSE(heard.note_answer(other, answer, start + 1s, day));
    CHECK_FALSE(heard.note_fresh_advert(other, answer - 1, start + 1s, day));
    CHECK_FALSE(heard.note_fresh_question(other, answer, start + 1s, day));
    CHECK(heard.note_fresh_question(other, answer + 2, start + 1s, day));
    CHECK(heard.note_fresh_advert(other, answer + 1, start + 1s, day));
  }
  CHECK_FALSE(heard.note_fresh_advert(other, day, start + 2s, day));
}

TEST_CASE("a fresh answer that overtakes an advert does it no harm") {
  Sequences heard;
  REQUIRE(heard.note_fresh_advert(other, day, start, day));
  CHECK(heard.note_answer(other, day + 2, start, day));
  CHECK(heard.note_fresh_advert(other, day + 1, start, day));
  CHECK(heard.note_answer(third, day + 1, start, day));
  CHECK_FALSE(heard.note_fresh_advert(third, day, start, day));
  CHECK(heard.note_fresh_advert(third, day + 2, start, day));
}
