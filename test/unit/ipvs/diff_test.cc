#include "ipvs/diff.h"

#include "ipvs/memory_kernel.h"
#include "test/catch.h"
#include "test/unit/ipvs/random.h"

using namespace ipvs;

namespace {

constexpr std::uint32_t rounds = 400;

MemoryKernel kernel_with(const Table& table) {
  MemoryKernel kernel;
  REQUIRE(kernel.apply(diff(table, {}))->empty());
  return kernel;
}

/// The place of an op in the order that diff promises.
int rank(const Op& op) {
  constexpr int ranks[] = {0, 0, 3, 1, 1, 2, 9, 9, 9, 9, 9};
  return ranks[op.index()];
}

}  // namespace

TEST_CASE("applying the difference makes the desired table") {
  for (std::uint32_t seed = 0; seed < rounds; ++seed) {
    INFO("seed " << seed);
    Random random(seed);
    const Table desired = random.table(8);
    const Table actual = random.table(8);
    MemoryKernel kernel = kernel_with(actual);
    CHECK(table_of(kernel.table) == actual);
    const auto refusals = kernel.apply(diff(desired, actual));
    REQUIRE(refusals);
    CHECK(refusals->empty());
    CHECK(table_of(kernel.table) == desired);
  }
}

TEST_CASE("a table does not differ from itself") {
  for (std::uint32_t seed = 0; seed < rounds; ++seed) {
    const Table table = Random(seed).table(8);
    CHECK(diff(table, table).empty());
  }
}

TEST_CASE("after any prefix of the ops, a new difference completes the work") {
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    INFO("seed " << seed);
    Random random(seed);
    const Table desired = random.table(4);
    const Table actual = random.table(4);
    const auto ops = diff(desired, actual);
    for (std::size_t done = 0; done <= ops.size(); ++done) {
      MemoryKernel kernel = kernel_with(actual);
      REQUIRE(kernel.apply(std::span(ops).first(done))->empty());
      const auto rest = diff(desired, table_of(kernel.table));
      CHECK(rest.size() == ops.size() - done);
      REQUIRE(kernel.apply(rest)->empty());
      CHECK(table_of(kernel.table) == desired);
    }
  }
}

TEST_CASE("what a table gains comes before what it loses") {
  for (std::uint32_t seed = 0; seed < rounds; ++seed) {
    INFO("seed " << seed);
    Random random(seed);
    const Table desired = random.table(8);
    CHECK(std::ranges::is_sorted(diff(desired, random.table(8)), {}, rank));
  }
}

TEST_CASE("a changed weight, threshold or forwarding method deletes nothing") {
  for (std::uint32_t seed = 0; seed < rounds; ++seed) {
    INFO("seed " << seed);
    Random random(seed);
    const Table actual = random.table(8);
    Table desired = actual;
    std::size_t changed = 0;
    for (auto& [key, entry] : desired) {
      for (auto& [destination, values] : entry.destinations) {
        const Destination before = values;
        values = random.destination();
        changed += values != before;
      }
    }
    const auto ops = diff(desired, actual);
    CHECK(ops.size() == changed);
    CHECK(std::ranges::all_of(ops, [](const Op& op) { return std::holds_alternative<SetDestination>(op); }));
  }
}

TEST_CASE("services can be diffed one at a time") {
  for (std::uint32_t seed = 0; seed < rounds; ++seed) {
    INFO("seed " << seed);
    Random random(seed);
    const Table desired = random.table(8);
    const Table actual = random.table(8);
    MemoryKernel kernel = kernel_with(actual);
    std::set<ServiceKey> keys;
    for (const Table* table : {&desired, &actual}) {
      for (const auto& [key, entry] : *table) keys.insert(key);
    }
    std::size_t count = 0;
    for (const ServiceKey& key : keys) {
      const auto want = desired.find(key);
      const auto have = actual.find(key);
      const auto ops =
          diff(key, want == desired.end() ? nullptr : &want->second, have == actual.end() ? nullptr : &have->second);
      REQUIRE(kernel.apply(ops)->empty());
      count += ops.size();
    }
    CHECK(table_of(kernel.table) == desired);
    CHECK(count == diff(desired, actual).size());
  }
  CHECK(diff(ServiceKey{}, nullptr, nullptr).empty());
}
