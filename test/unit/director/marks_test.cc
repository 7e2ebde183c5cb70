#include "director/engine/marks.h"

#include <random>

#include "test/catch.h"

using director::allot_marks;
using director::Marks;
using director::ProbePath;

namespace {

constexpr config::ProbeMarks range{.first = 100, .last = 103};

ProbePath path(const std::string& server, ipvs::Forward forward = ipvs::Forward::route) {
  const auto address = net::Address::parse(server).value();
  return {.family = address.family(), .server = address, .forward = forward};
}

/// What the kernel holds once marks are in it.
ipvs::Table table_of(const Marks& marks) {
  ipvs::Table table;
  for (const auto& [path, mark] : marks) table[private_key(path, mark)] = private_service(path);
  return table;
}

}  // namespace

TEST_CASE("each way gets the lowest free mark") {
  const auto marks = allot_marks({path("10.0.0.1"), path("10.0.0.2")}, {}, range);
  CHECK(marks == Marks{{path("10.0.0.1"), 100}, {path("10.0.0.2"), 101}});
}

TEST_CASE("the same server by another forwarding method is another way") {
  const auto marks = allot_marks({path("10.0.0.1"), path("10.0.0.1", ipvs::Forward::tunnel)}, {}, range);
  CHECK(marks.size() == 2);
  CHECK(marks.at(path("10.0.0.1")) != marks.at(path("10.0.0.1", ipvs::Forward::tunnel)));
}

TEST_CASE("a server that comes or goes moves nobody else's mark") {
  const auto before = allot_marks({path("10.0.0.2"), path("10.0.0.4")}, {}, range);
  const auto joined = allot_marks({path("10.0.0.1"), path("10.0.0.2"), path("10.0.0.4")}, table_of(before), range);
  CHECK(joined.at(path("10.0.0.2")) == before.at(path("10.0.0.2")));
  CHECK(joined.at(path("10.0.0.4")) == before.at(path("10.0.0.4")));
  CHECK(joined.at(path("10.0.0.1")) == 102);
  const auto left = allot_marks({path("10.0.0.1"), path("10.0.0.4")}, table_of(joined), range);
  CHECK(left == Marks{{path("10.0.0.1"), 102}, {path("10.0.0.4"), 101}});
}

TEST_CASE("a restart finds its marks in the table") {
  const auto before = allot_marks({path("10.0.0.3"), path("2001:db8::1"), path("10.0.0.1")}, {}, range);
  const std::set<ProbePath> same{path("10.0.0.3"), path("2001:db8::1"), path("10.0.0.1")};
  CHECK(allot_marks(same, table_of(before), range) == before);
}

TEST_CASE("a mark that leads elsewhere is used again only when no other is left") {
  const auto before = allot_marks({path("10.0.0.1"), path("10.0.0.2")}, {}, range);
  const auto three = allot_marks({path("10.0.1.1"), path("10.0.1.2"), path("10.0.1.3")}, table_of(before), range);
  CHECK(three == Marks{{path("10.0.1.1"), 102}, {path("10.0.1.2"), 103}, {path("10.0.1.3"), 100}});
}

TEST_CASE("what is not a private service is not recognized as one") {
  auto table = table_of(allot_marks({path("10.0.0.1")}, {}, {.first = 7, .last = 7}));  // outside the range
  const ipvs::ServiceKey many{.protocol = ipvs::Protocol::none, .endpoint = {}, .fwmark = 100};
  table[many].destinations[{.endpoint = {.address = path("10.0.0.1").server, .port = 0}}] = {};
  table[many].destinations[{.endpoint = {.address = path("10.0.0.2").server, .port = 0}}] = {};
  CHECK(allot_marks({path("10.0.0.1")}, table, range) == Marks{{path("10.0.0.1"), 101}});
  CHECK(director::is_private(many, range));
  CHECK_FALSE(director::is_private({.protocol = ipvs::Protocol::none, .endpoint = {}, .fwmark = 7}, range));
  CHECK_FALSE(director::is_private({}, range));
}

TEST_CASE("the last mark of all can be used") {
  const config::ProbeMarks last{.first = 0xffffffff, .last = 0xffffffff};
  CHECK(allot_marks({path("10.0.0.1")}, {}, last) == Marks{{path("10.0.0.1"), 0xffffffff}});
}

TEST_CASE("whatever comes and goes, marks are distinct, in the range, and stay") {
  std::mt19937 random(20261121);
  for (int life = 0; life < 200; ++life) {
    Marks marks;
    for (int step = 0; step < 20; ++step) {
      std::set<ProbePath> wanted;
      while (wanted.size() < random() % 5) wanted.insert(path("10.0.0." + std::to_string(random() % 9)));
      const auto next = allot_marks(wanted, table_of(marks), range);
      std::set<std::uint32_t> used;
      REQUIRE(next.size() == wanted.size());
      for (const auto& [each, number] : next) {
        REQUIRE(used.insert(number).second);
        REQUIRE(range.contains(number));
        if (marks.contains(each)) REQUIRE(marks.at(each) == number);
      }
      marks = next;
    }
  }
}
