// The memory kernel against the real one: the same ops give the same errno and the same table.
#include <fmt/format.h>

#include "ipvs/diff.h"
#include "ipvs/memory_kernel.h"
#include "ipvs/netlink_kernel.h"
#include "test/catch.h"
#include "test/interop/namespace.h"
#include "test/unit/ipvs/random.h"

using namespace ipvs;

namespace {

NetlinkKernel open_kernel() {
  enter_fresh_namespace();
  auto kernel = NetlinkKernel::open();
  if (!kernel) FAIL(kernel.error().message);
  return std::move(*kernel);
}

Table table_in(Kernel& kernel) {
  const auto snapshot = kernel.list();
  if (!snapshot) FAIL(snapshot.error().message);
  return table_of(*snapshot);
}

int errno_of(Kernel& kernel, const Op& op) {
  const auto done = kernel.apply_one(op);
  return done ? 0 : done.error().code;
}

/// What is in `actual` and not in `expected`, and the reverse, as ops.
std::string difference(const Table& expected, const Table& actual) {
  std::string text;
  for (const Op& op : diff(expected, actual)) text += "  " + to_string(op) + "\n";
  return text;
}

std::string text(const std::vector<Daemon>& daemons) {
  std::string text;
  for (const Daemon& daemon : daemons) {
    text += fmt::format("{} id {} length {} group {} port {} ttl {}\n", describe(StartDaemon{daemon}), daemon.sync_id,
                        daemon.max_length, daemon.group ? to_string(*daemon.group) : "none", daemon.port, daemon.ttl);
  }
  return text;
}

}  // namespace

TEST_CASE("random ops get the same errno and leave the same table as in the real kernel") {
  constexpr std::uint32_t lives = 40;
  constexpr int ops_in_a_life = 100;
  int refused = 0;
  for (std::uint32_t seed = 1; seed <= lives; ++seed) {
    NetlinkKernel real = open_kernel();
    MemoryKernel imagined;
    Random random(seed);
    for (int i = 0; i < ops_in_a_life; ++i) {
      const Op op = random.op();
      INFO("seed " << seed << ", op " << i << ": " << to_string(op));
      const int expected = errno_of(real, op);
      CHECK(errno_of(imagined, op) == expected);
      refused += expected != 0;
      if (i % 10 != 9) continue;
      const Table table = table_in(real);
      INFO("the memory kernel would have to:\n" << difference(table, table_of(imagined.table)));
      REQUIRE(table_of(imagined.table) == table);
    }
  }
  CHECK(refused > 500);
}

TEST_CASE("the same ops in one batch leave the same table and name the same refused ones") {
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    INFO("seed " << seed);
    NetlinkKernel real = open_kernel();
    MemoryKernel imagined;
    Random random(seed);
    std::vector<Op> ops;
    for (int i = 0; i < 500; ++i) ops.push_back(random.op());
    const auto expected = real.apply(ops);
    const auto refused = imagined.apply(ops);
    REQUIRE(expected);
    REQUIRE(refused->size() == expected->size());
    for (std::size_t i = 0; i < expected->size(); ++i) {
      CHECK((*refused)[i].index == (*expected)[i].index);
      CHECK((*refused)[i].error.message == (*expected)[i].error.message);
    }
    CHECK(table_of(imagined.table) == table_in(real));
  }
}

TEST_CASE("the difference between random tables makes the one of the other in the real kernel") {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    NetlinkKernel real = open_kernel();
    Random random(seed);
    Table actual;
    for (int i = 0; i < 5; ++i) {
      const Table desired = random.table(12);
      const auto ops = diff(desired, actual);
      const auto refused = real.apply(ops);
      REQUIRE(refused);
      for (const RefusedOp& each : *refused) FAIL_CHECK(each.error.message);
      actual = table_in(real);
      INFO(difference(desired, actual));
      REQUIRE(actual == desired);
    }
  }
}

TEST_CASE("one service is listed alone, and one that is not there is nothing") {
  NetlinkKernel kernel = open_kernel();
  Random random(7);
  const Table table = random.table(12);
  REQUIRE(kernel.apply(diff(table, {}))->empty());
  for (const auto& [key, entry] : table) {
    const auto found = kernel.list(key);
    REQUIRE(found);
    REQUIRE(*found);
    CHECK(table_of({{key, **found}}) == Table{{key, entry}});
  }
  const auto none = kernel.list(ServiceKey{.endpoint = *net::Endpoint::parse("198.51.100.1:1")});
  REQUIRE(none);
  CHECK_FALSE(*none);
}

TEST_CASE("daemons, timeouts and the version are read back") {
  using namespace std::chrono_literals;
  NetlinkKernel kernel = open_kernel();
  MemoryKernel imagined;
  CHECK(*kernel.timeouts() == *imagined.timeouts());
  CHECK(*kernel.info() == *imagined.info());
  CHECK(kernel.daemons()->empty());
  const Op ops[] = {
      SetTimeouts{{.tcp = 100s, .tcp_fin = 0s, .udp = 7s}},
      SetTimeouts{{.tcp = std::chrono::seconds(INT32_MAX)}},
      SetTimeouts{{.udp = std::chrono::seconds(8000000)}},
      StopDaemon{Daemon::State::master},
      StartDaemon{{.interface = "", .sync_id = 1}},
      StartDaemon{{.interface = "eth9", .sync_id = 1}},
      StartDaemon{{.interface = "lo", .sync_id = 9}},
      StartDaemon{{.interface = "lo", .sync_id = 9}},
      StartDaemon{{.state = Daemon::State::backup,
                   .interface = "lo",
                   .sync_id = 255,
                   .max_length = 1400,
                   .group = net::Address::parse("239.1.2.3"),
                   .port = 9000,
                   .ttl = 3}},
      StopDaemon{Daemon::State::backup},
      StartDaemon{{.state = Daemon::State::backup, .interface = "lo", .group = net::Address::parse("ff15::7")}},
      StopDaemon{Daemon::State::backup},
      StartDaemon{{.state = Daemon::State::backup, .interface = "lo", .group = net::Address::parse("10.0.0.1")}},
      StartDaemon{{.state = Daemon::State::backup, .interface = "lo"}},
      StartDaemon{{.interface = "lo", .group = net::Address::parse("10.0.0.1")}},
      StartDaemon{{.interface = "sixteen-letters-"}},
      StopDaemon{Daemon::State::master},
  };
  for (const Op& op : ops) {
    INFO(to_string(op));
    const auto real = kernel.apply_one(op);
    const auto same = imagined.apply_one(op);
    CHECK((real ? "" : real.error().message) == (same ? "" : same.error().message));
    CHECK(*kernel.timeouts() == *imagined.timeouts());
    CHECK(text(*kernel.daemons()) == text(*imagined.daemons()));
  }
}
