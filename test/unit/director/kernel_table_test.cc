#include "director/engine/kernel_table.h"

#include "ipvs/memory_kernel.h"
#include "shop.h"
#include "test/catch.h"

using director::KernelTable;
using director_test::at;
using director_test::endpoint;
using Fault = ipvs::MemoryKernel::Fault;

namespace {

const ipvs::ServiceKey web_key = director_test::web().key;

ipvs::ServiceEntry entry(std::uint32_t weight) {
  ipvs::ServiceEntry made{.service = director_test::web().spec, .destinations = {}};
  made.destinations[at("192.168.200.11:80")].weight = weight;
  return made;
}

std::vector<KernelTable::Desired> desired(std::uint32_t weight) { return {{.key = web_key, .entry = entry(weight)}}; }

}  // namespace

TEST_CASE("what is desired is made by its difference to what is there, and costs nothing when it is there already") {
  ipvs::MemoryKernel kernel;
  KernelTable table(kernel);
  REQUIRE(table.read());
  CHECK(table.apply(desired(3)).done.size() == 2);
  CHECK(table_of(kernel.table).at(web_key) == entry(3));
  CHECK(table.apply(desired(3)).done.empty());

  const auto changed = table.apply(desired(0));
  REQUIRE(changed.done.size() == 1);
  CHECK(std::holds_alternative<ipvs::SetDestination>(changed.done[0]));
  CHECK(table.actual(web_key) == entry(0));

  const auto removed = table.apply(std::vector<KernelTable::Desired>{{.key = web_key, .entry = std::nullopt}});
  CHECK_FALSE(removed.done.empty());
  CHECK(kernel.table.empty());
  CHECK_FALSE(table.has(web_key));
}

TEST_CASE("a restarted director finds its table in the kernel and changes nothing") {
  ipvs::MemoryKernel kernel;
  KernelTable first(kernel);
  first.apply(desired(3));
  KernelTable second(kernel);
  REQUIRE(second.read());
  CHECK(second.apply(desired(3)).done.empty());
}

TEST_CASE("what the kernel refuses is reported, and read again before the next attempt") {
  ipvs::MemoryKernel kernel;
  KernelTable table(kernel);
  kernel.schedulers.erase("wrr");
  const auto refused = table.apply(desired(3));
  REQUIRE(refused.failed.size() == 1);
  CHECK(refused.failed.at(web_key) ==
        "add tcp 192.168.56.10:80: the kernel has no scheduler \"wrr\"; load its module: modprobe ip_vs_wrr");

  kernel.schedulers.insert("wrr");
  CHECK(table.apply(desired(3)).failed.empty());
  CHECK(table_of(kernel.table).at(web_key) == entry(3));
}

TEST_CASE("whatever goes wrong on the way, applying again ends in what was desired") {
  for (const auto fault : {Fault::lost_reply, Fault::no_buffers, Fault::busy}) {
    ipvs::MemoryKernel kernel;
    KernelTable table(kernel);
    kernel.faults = {fault};
    const auto outcome = table.apply(desired(3));
    CHECK(outcome.failed.size() == 1);
    CHECK(outcome.failed.contains(web_key));
    CHECK(table.apply(desired(3)).failed.empty());
    CHECK(table_of(kernel.table).at(web_key) == entry(3));
  }
}

TEST_CASE("somebody who added the service first is no obstacle") {
  ipvs::MemoryKernel kernel;
  KernelTable table(kernel);
  REQUIRE(table.read());
  KernelTable other(kernel);
  other.apply(desired(1));
  CHECK_FALSE(table.apply(desired(3)).failed.empty());
  CHECK(table.refresh(web_key) == true);
  CHECK(table.actual(web_key) == entry(1));
  CHECK(table.refresh(web_key) == false);
  CHECK(table.apply(desired(3)).failed.empty());
  CHECK(table_of(kernel.table).at(web_key) == entry(3));
}
