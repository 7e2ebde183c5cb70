#include "vrrp/challenges.h"

#include "test/catch.h"

using namespace std::chrono_literals;
using vrrp::Challenges;
using vrrp::HeldAdvert;
using vrrp::Instant;

namespace {

const Instant start{1h};
const net::Address other = net::Address::parse("10.0.0.1").value();
const net::Address third = net::Address::parse("10.0.0.3").value();

HeldAdvert held(std::uint64_t sequence, Instant arrived) {
  return {.advert = {.router_id = 51, .addresses = {}}, .sequence = sequence, .arrived = arrived};
}

}  // namespace

TEST_CASE("a question is due when its pause is over, to each by itself") {
  Challenges challenges;
  CHECK(challenges.is_due(other, 1s, start));
  challenges.ask(other, 7, start);
  CHECK_FALSE(challenges.is_due(other, 1s, start + 999ms));
  CHECK(challenges.is_due(other, 10ms, start + 10ms));
  CHECK(challenges.is_due(other, 1s, start + 1s));
  CHECK(challenges.is_due(third, 1s, start));
  // What is held is no question.
  CHECK(challenges.hold(third, held(1, start)));
  CHECK(challenges.is_due(third, 1s, start));
}

TEST_CASE("a challenge is outstanding for a second, or until it is answered") {
  Challenges challenges;
  CHECK(challenges.ask(other, 7, start) == 7);
  CHECK(challenges.ask(other, 8, start + 1s) == 7);
  CHECK(challenges.ask(third, 9, start + 1s) == 9);
  SECTION("then it is renewed, and the old one is not answered any more") {
    CHECK(challenges.ask(other, 8, start + 1001ms) == 8);
    CHECK_FALSE(challenges.take_answer(other, 7, start + 1002ms));
    CHECK(challenges.take_answer(other, 8, start + 1002ms));
  }
  SECTION("an answer counts for a second after the last question, and once") {
    CHECK_FALSE(challenges.take_answer(other, 9, start + 1s));
    CHECK_FALSE(challenges.take_answer(third, 7, start + 1s));
    CHECK_FALSE(challenges.take_answer(other, 7, start + 2001ms));
    CHECK(challenges.take_answer(other, 7, start + 2s));
    CHECK_FALSE(challenges.take_answer(other, 7, start + 2s));
    CHECK(challenges.ask(other, 8, start + 2s) == 8);
  }
}

TEST_CASE("nobody answers what was not asked") {
  Challenges challenges;
  CHECK_FALSE(challenges.take_answer(other, 0, start));
  REQUIRE(challenges.hold(other, held(1, start)));
  CHECK_FALSE(challenges.take_answer(other, 0, start));
  challenges.ask(other, 7, start);
  CHECK_FALSE(challenges.take_answer(other, 0, start));
  REQUIRE(challenges.take_answer(other, 7, start));
  CHECK_FALSE(challenges.take_answer(other, 0, start));
}

TEST_CASE("the latest advert is held, and who does not answer for a second is refused") {
  Challenges challenges;
  CHECK(challenges.hold(other, held(1, start)));
  challenges.ask(other, 7, start);
  CHECK(challenges.hold(other, held(2, start + 500ms)));
  CHECK(challenges.hold(other, held(3, start + 1s)));
  challenges.ask(other, 8, start + 1s);
  CHECK_FALSE(challenges.hold(other, held(4, start + 1001ms)));
  CHECK_FALSE(challenges.hold(other, held(5, start + 1100ms)));
  SECTION("until it answers") {
    challenges.ask(other, 9, start + 1100ms);
    REQUIRE(challenges.take_answer(other, 9, start + 1101ms));
    const auto taken = challenges.take_held(other);
    REQUIRE(taken);
    CHECK(taken->sequence == 5);
    CHECK_FALSE(challenges.take_held(other));
    CHECK(challenges.hold(other, held(6, start + 3s)));
    CHECK(challenges.hold(other, held(7, start + 9s)));  // nobody has asked
  }
  CHECK_FALSE(challenges.take_held(third));
}

TEST_CASE("an answer confirms what was sent shortly before, in the same life") {
  constexpr std::uint64_t second = 1'000'000, answer = 1'000 * second;
  CHECK(is_confirmed(held(answer - 1, start), answer, start));
  CHECK(is_confirmed(held(answer - second, start), answer, start));
  CHECK_FALSE(is_confirmed(held(answer - second - 1, start), answer, start));
  CHECK(is_confirmed(held(answer - 2 * second, start), answer, start + 1s));
  CHECK_FALSE(is_confirmed(held(answer - 1, start), answer, start + 1001ms));
  CHECK_FALSE(is_confirmed(held(answer, start), answer, start));
  CHECK_FALSE(is_confirmed(held(answer + 1, start), answer, start));
  CHECK_FALSE(is_confirmed(held(0, start), answer, start));
}
