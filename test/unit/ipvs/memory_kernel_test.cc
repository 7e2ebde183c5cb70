#include "ipvs/memory_kernel.h"

#include "test/catch.h"
#include "test/unit/ipvs/random.h"

using namespace ipvs;

namespace {

const ServiceKey web{.protocol = Protocol::tcp, .endpoint = *net::Endpoint::parse("192.0.2.1:80"), .fwmark = 0};
const ServiceKey dns{.protocol = Protocol::udp, .endpoint = *net::Endpoint::parse("192.0.2.1:53"), .fwmark = 0};
const DestinationKey one{.endpoint = *net::Endpoint::parse("10.0.0.1:80")};
const DestinationKey two{.endpoint = *net::Endpoint::parse("10.0.0.2:80")};
const DestinationKey six{.endpoint = *net::Endpoint::parse("[2001:db8::1]:80")};

/// Holds web with destination `one`.
MemoryKernel sample() {
  MemoryKernel kernel;
  const Op ops[] = {AddService{web, {.scheduler = "rr"}}, AddDestination{web, one, {}}};
  REQUIRE(kernel.apply(ops)->empty());
  return kernel;
}

}  // namespace

TEST_CASE("each wrong op gets the kernel's errno and a sentence that says why") {
  struct Case {
    Op op;
    int code;
    std::string message;
  };
  const Destination too_heavy{.weight = 0x80000000};
  const Destination upside_down{.upper_threshold = 5, .lower_threshold = 6};
  const Destination no_port{.forward = Forward::tunnel, .tunnel = {.type = Tunnel::Type::gue}};
  const Case cases[] = {
      {AddService{web, {}}, EEXIST, "add tcp 192.0.2.1:80: it already exists"},
      {AddService{dns, {.scheduler = "nosuch"}}, ENOENT,
       "add udp 192.0.2.1:53: the kernel has no scheduler \"nosuch\"; load its module: modprobe ip_vs_nosuch"},
      {SetService{dns, {}}, ESRCH, "change udp 192.0.2.1:53: there is no service udp 192.0.2.1:53"},
      {SetService{web, {.scheduler = "nosuch"}}, ENOENT,
       "change tcp 192.0.2.1:80: the kernel has no scheduler \"nosuch\"; load its module: modprobe ip_vs_nosuch"},
      {SetService{web, {.persistence_engine = "x"}}, ENOENT,
       "change tcp 192.0.2.1:80: the kernel has no scheduler \"wlc\" or no persistence engine \"x\"; load their "
       "modules: "
       "modprobe ip_vs_wlc, modprobe ip_vs_pe_x"},
      {RemoveService{dns}, ESRCH, "remove udp 192.0.2.1:53: there is no service udp 192.0.2.1:53"},
      {AddDestination{dns, one, {}}, ESRCH,
       "add 10.0.0.1:80 to udp 192.0.2.1:53: there is no service udp 192.0.2.1:53"},
      {AddDestination{web, one, {}}, EEXIST, "add 10.0.0.1:80 to tcp 192.0.2.1:80: it already exists"},
      {AddDestination{web, two, too_heavy}, ERANGE,
       "add 10.0.0.2:80 to tcp 192.0.2.1:80: the weight 2147483648 is not in 0..2147483647"},
      {AddDestination{web, two, upside_down}, ERANGE,
       "add 10.0.0.2:80 to tcp 192.0.2.1:80: the lower threshold 6 is above the upper threshold 5"},
      {AddDestination{web, two, no_port}, EINVAL,
       "add 10.0.0.2:80 to tcp 192.0.2.1:80: a gue tunnel needs a port, 1..65535"},
      {AddDestination{web, six, {}}, EINVAL,
       "add [2001:db8::1]:80 to tcp 192.0.2.1:80: a real server of another address family needs tunnel "
       "forwarding and no running sync daemon"},
      {AddDestination{web, {.endpoint = *net::Endpoint::parse("224.0.0.1:80")}, {}}, EINVAL,
       "add 224.0.0.1:80 to tcp 192.0.2.1:80: the kernel does not accept this address for a real server; check "
       "that lo is up in this namespace"},
      {SetDestination{web, two, {}}, ENOENT, "change 10.0.0.2:80 of tcp 192.0.2.1:80: there is no such destination"},
      {SetDestination{dns, two, {}}, ESRCH,
       "change 10.0.0.2:80 of udp 192.0.2.1:53: there is no service udp 192.0.2.1:53"},
      {RemoveDestination{web, two}, ENOENT, "remove 10.0.0.2:80 from tcp 192.0.2.1:80: there is no such destination"},
      {RemoveDestination{dns, two}, ESRCH,
       "remove 10.0.0.2:80 from udp 192.0.2.1:53: there is no service udp 192.0.2.1:53"},
      {Zero{dns}, ESRCH, "zero the counters of udp 192.0.2.1:53: there is no service udp 192.0.2.1:53"},
      {StopDaemon{}, ESRCH, "stop the master sync daemon: it is not running"},
      {StartDaemon{{.interface = "eth9"}}, ENODEV, "start the master sync daemon on eth9: there is no interface eth9"},
  };
  MemoryKernel kernel = sample();
  const Table before = table_of(kernel.table);
  for (const Case& test : cases) {
    INFO(to_string(test.op));
    const auto done = kernel.apply_one(test.op);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == test.code);
    CHECK(done.error().message == test.message);
    CHECK(table_of(kernel.table) == before);
  }
}

TEST_CASE("a refused op does not stop those after it") {
  MemoryKernel kernel = sample();
  const Op ops[] = {RemoveService{dns}, AddDestination{web, two, {}}, AddDestination{web, one, {}}, RemoveService{web}};
  const auto refusals = kernel.apply(ops);
  REQUIRE(refusals);
  REQUIRE(refusals->size() == 2);
  CHECK((*refusals)[0].index == 0);
  CHECK((*refusals)[1].index == 2);
  CHECK(kernel.table.empty());
}

TEST_CASE("a change keeps counters and connections, a removal orphans them, zero clears the counters") {
  MemoryKernel kernel = sample();
  DestinationStatus& status = kernel.table[web].destinations[one];
  status.active = 3;
  status.stats.connections = 8;
  kernel.table[web].stats.connections = 8;
  REQUIRE(kernel.apply_one(SetDestination{web, one, {.weight = 0}}));
  REQUIRE(kernel.apply_one(SetService{web, {.scheduler = "wrr"}}));
  CHECK(kernel.table[web].stats.connections == 8);
  CHECK(kernel.table[web].destinations[one].active == 3);
  CHECK(kernel.table[web].destinations[one].destination.weight == 0);
  REQUIRE(kernel.apply_one(Zero{}));
  CHECK(kernel.table[web].stats.connections == 0);
  CHECK(kernel.table[web].destinations[one].stats.connections == 0);
  CHECK(kernel.table[web].destinations[one].active == 3);
  REQUIRE(kernel.apply_one(RemoveDestination{web, one}));
  CHECK(kernel.orphaned() == 3);
}

TEST_CASE("a removed destination's connections live again when it is added again, or are reset") {
  MemoryKernel kernel = sample();
  kernel.table[web].destinations[one] = {.destination = {}, .active = 3, .inactive = 2, .persistent = 1, .stats = {}};
  REQUIRE(kernel.apply_one(RemoveService{web}));
  CHECK(kernel.orphaned() == 3);
  REQUIRE(kernel.apply_one(AddService{web, {}}));
  REQUIRE(kernel.apply_one(AddDestination{web, two, {}}));
  CHECK(kernel.orphaned() == 3);
  REQUIRE(kernel.apply_one(AddDestination{web, one, {.weight = 5}}));
  CHECK(kernel.orphaned() == 0);
  const DestinationStatus& again = kernel.table[web].destinations[one];
  CHECK(again.active == 3);
  CHECK(again.inactive == 2);
  CHECK(again.persistent == 1);
  CHECK(again.destination.weight == 5);

  kernel.expire_nodest_conn = true;
  REQUIRE(kernel.apply_one(RemoveDestination{web, one}));
  CHECK(kernel.orphaned() == 0);
  CHECK(kernel.reset == 3);
  REQUIRE(kernel.apply_one(AddDestination{web, one, {}}));
  CHECK(kernel.table[web].destinations[one].active == 0);
}

TEST_CASE("a listing gives back what was applied, one service as all of them") {
  MemoryKernel kernel = sample();
  const auto all = kernel.list();
  REQUIRE(all);
  CHECK(table_of(*all) == table_of(kernel.table));
  const auto found = kernel.list(web);
  REQUIRE(found);
  REQUIRE(*found);
  CHECK((*found)->destinations.contains(one));
  CHECK((*found)->service.scheduler == "rr");
  const auto none = kernel.list(dns);
  REQUIRE(none);
  CHECK_FALSE(*none);
  CHECK(kernel.destinations(dns)->empty());
}

TEST_CASE("daemons run once for each state, and timeouts of zero stay as they are") {
  MemoryKernel kernel;
  REQUIRE(kernel.apply_one(StartDaemon{{.state = Daemon::State::backup, .interface = "lo", .sync_id = 4}}));
  REQUIRE(kernel.apply_one(StartDaemon{{.state = Daemon::State::master, .interface = "lo", .sync_id = 5}}));
  CHECK(kernel.apply_one(StartDaemon{{.interface = "lo"}}).error().code == EEXIST);
  const auto daemons = kernel.daemons();
  REQUIRE(daemons);
  REQUIRE(daemons->size() == 2);
  CHECK(daemons->front().state == Daemon::State::master);
  CHECK(daemons->front().sync_id == 5);
  REQUIRE(kernel.apply_one(StopDaemon{Daemon::State::master}));
  CHECK(kernel.daemons()->size() == 1);

  using namespace std::chrono_literals;
  REQUIRE(kernel.apply_one(SetTimeouts{{.tcp = 0s, .tcp_fin = 7s, .udp = 0s}}));
  CHECK(*kernel.timeouts() == Timeouts{.tcp = 900s, .tcp_fin = 7s, .udp = 300s});
}

TEST_CASE("injected faults are used up one by one") {
  using enum MemoryKernel::Fault;
  MemoryKernel kernel = sample();
  const Op ops[] = {AddDestination{web, two, {}}, RemoveDestination{web, one}};
  kernel.faults = {busy, no_buffers, lost_reply, interrupted_dump};
  CHECK(kernel.apply(ops).error().code == EBUSY);
  CHECK(kernel.table[web].destinations.size() == 1);
  CHECK(kernel.apply(ops).error().code == ENOBUFS);
  CHECK(kernel.table[web].destinations.size() == 2);
  const Op rest[] = {RemoveDestination{web, one}};
  CHECK(kernel.apply(rest).error().code == ETIMEDOUT);
  CHECK(kernel.table[web].destinations.size() == 1);
  CHECK(kernel.list().error().code == EINTR);
  CHECK(kernel.list());
  CHECK(kernel.apply_one(RemoveService{web}));
}
