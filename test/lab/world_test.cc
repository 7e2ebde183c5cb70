// What can go wrong with a director's host, one after the other, on the master and on the backup, with requests and
// downloads under way: each fault is told as a problem while it lasts, its end as an event, and no request fails that
// another director could have served.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "test/catch.h"
#include "test/lab/client.h"
#include "test/lab/pair.h"
#include "test/lab/pulse.h"

using namespace std::chrono_literals;
using lab::Pair;

namespace {

constexpr auto margin = 50ms;  // as the scenario's
constexpr auto told_within = 2s;

/// The directors' state folders are file systems of their own, which can be full, read-only or frozen; their logs are
/// pipes, whose reader can be stopped; each is in a cgroup of its own.
class World {
 public:
  World() : pair{{.forward = Pair::Forward::nat, .advertise = 100ms, .programs = lab::programs_folder()}} {
    shell(pair.lb1,
          "modprobe loop && mkdir -p /cg && mount -t cgroup2 none /cg && echo +pids > /cg/cgroup.subtree_control");
    auto file = pair.cluster_file();
    const std::string before = "    interface: enp0s3\n";
    pair.write(file.insert(file.find(before), "    give_up_when: web below quorum\n"));
    for (auto& director : pair.directors) prepare(director);
    REQUIRE(lab::wait_until([&] { return master() == &pair.lb1; }, 15s));
    prober.emplace(*pair.client, pair.service);
    REQUIRE(prober->settle(500ms, 10s));
  }

  void prepare(Pair::Director& director) {
    director.log_pipe = pair.runtime_folder(director) / "log";
    std::filesystem::create_directories(pair.runtime_folder(director) / "state");
    shell(director,
          "truncate -s 4M {folder}/disk && mke2fs -q -t ext4 -m 0 {folder}/disk && mount -o loop {folder}/disk {state} "
          "&& "
          "chmod 700 {state} && mkfifo {log} && mkdir {cgroup}");
    const auto reader =
        fmt::format("echo $$ > {0}/reader.pid; exec cat {0}/log", pair.runtime_folder(director).string());
    readers.emplace_back(*director.host, std::vector<std::string>{"sh", "-c", reader},
                         pair.folder / (director.host->name + ".log"));
    pair.start(director);
    REQUIRE(lab::wait_until([&] { return pair.ctl(director, {"status"}).status == 0; }, 10s));
    shell(director, "echo {pid} > {cgroup}/cgroup.procs");
  }

  void shell(const Pair::Director& director, const std::string& command) const {
    const auto folder = pair.runtime_folder(director);
    const auto filled = fmt::format(
        fmt::runtime(command), fmt::arg("folder", folder.string()), fmt::arg("state", (folder / "state").string()),
        fmt::arg("log", director.log_pipe.string()), fmt::arg("cgroup", "/cg/" + director.host->name),
        fmt::arg("pid", word_in(folder / "directord.pid")), fmt::arg("reader", word_in(folder / "reader.pid")),
        fmt::arg("back", &director == &pair.lb1 ? "192.168.200.251/24" : "192.168.200.252/24"));
    const auto done = lab::run(*director.host, {"sh", "-c", filled});
    INFO(filled << ": " << done.text);
    REQUIRE(done.status == 0);
  }

  static std::string word_in(const std::filesystem::path& file) {
    std::string word;
    std::ifstream(file) >> word;
    return word;
  }

  /// Who holds both addresses alone.
  [[nodiscard]] const Pair::Director* master() const {
    for (const auto& [one, other] : {std::pair(&pair.lb1, &pair.lb2), std::pair(&pair.lb2, &pair.lb1)}) {
      if (pair.holds_both(*one) && !pair.holds_any(*other)) return one;
    }
    return nullptr;
  }

  /// "" while it does not answer.
  std::string problems(const Pair::Director& director) {
    const auto status = pair.status(director);
    return status.is_object() ? status["problems"].dump() : "";
  }

  [[nodiscard]] std::string log_of(const Pair::Director& director) const {
    std::ifstream log(pair.folder / (director.host->name + ".log"));
    return {std::istreambuf_iterator<char>(log), {}};
  }

  /// How many events of a kind there have been.
  std::ptrdiff_t events(const Pair::Director& director, const std::string& kind) {
    const auto all = nlohmann::json::parse(pair.ctl(director, {"events", "--json"}).text, nullptr, false);
    return std::ranges::count_if(all.value("events", nlohmann::json::array()),
                                 [&](const auto& event) { return event["kind"] == kind; });
  }

  Pair pair;
  lab::Pulse pulse;
  std::vector<lab::Process> readers;
  std::optional<lab::Prober> prober;
};

/// A fault of one director's host. The commands are run on it: {state} is its state folder, {cgroup} its cgroup, {pid}
/// the director, {reader} who reads its log.
struct Fault {
  const char* name;
  const char* begin;
  const char* end;
  void (*meet)(World& world, const Pair::Director& director) = nullptr;  ///< what brings the director to meet it
  const char* problem = "";    ///< in the problems while it lasts; "": none, for there is nothing to mend
  const char* end_event = "";  ///< what tells the end
  bool answers = true;         ///< without, the log tells the problem: there is no descriptor for a question
  net::Duration outage{};      ///< on the master: for so long, until it is known, no other could have served
};

void give_order(World& world, const Pair::Director& director) {
  const auto answer = world.pair.ctl(director, {"weight", "web/web2", "1", "--reason", "a test of the disk", "--json"});
  INFO(answer.text);
  CHECK(answer.status == 0);
  CHECK(nlohmann::json::parse(answer.text, nullptr, false).value("durable", true) == false);
}

void fill_log(World& world, const Pair::Director& director) {
  const net::Fd pipe(open(director.log_pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  const std::string junk(std::size_t{64} << 10, '#');
  for (const std::size_t size : {junk.size(), std::size_t{1}}) {
    while (write(pipe.get(), junk.data(), size) > 0) continue;
  }
  CHECK(world.pair.ctl(director, {"weight", "web/web2", "1"}).status == 0);
}

const Fault faults[] = {
    {.name = "nothing", .begin = "true", .end = "true"},
    {.name = "the disk is full",
     .begin = "dd if=/dev/zero of={state}/ballast bs=64K || true",
     .end = "rm {state}/ballast",
     .meet = give_order,
     .problem = "would lose the latest",
     .end_event = "state_saved"},
    {.name = "the disk is read-only",
     .begin = "mount -o remount,ro {state}",
     .end = "mount -o remount,rw {state}",
     .meet = give_order,
     .problem = "would lose the latest",
     .end_event = "state_saved"},
    {.name = "the disk is frozen",
     .begin = "fsfreeze -f {state}",
     .end = "fsfreeze -u {state}",
     .meet = give_order,
     .problem = "would lose the latest",
     .end_event = "state_saved"},
    {.name = "no thread can be made",
     .begin = "cat {cgroup}/pids.current > {cgroup}/pids.max",
     .end = "echo max > {cgroup}/pids.max",
     .meet = give_order,
     .problem = "would lose the latest",
     .end_event = "state_saved"},
    {.name = "no descriptor is left",
     .begin = "prlimit --pid {pid} --nofile=3:",
     .end = "prlimit --pid {pid} --nofile=1024:",
     .problem = "Too many open files",
     .end_event = "checks_run",
     .answers = false},
    {.name = "the route to the servers is gone",
     .begin = "ip route add blackhole 192.168.200.0/25",
     .end = "ip route del blackhole 192.168.200.0/25",
     .problem = "checks",
     .end_event = "checks_run",
     .outage = Pair::time_to_out + margin},
    {.name = "the address towards the servers is gone",
     .begin = "ip address del {back} dev enp0s8",
     .end = "ip address add {back} dev enp0s8",
     .problem = "checks",
     .end_event = "checks_run",
     .outage = margin},
    {.name = "nobody reads the log",
     .begin = "kill -STOP {reader}",
     .end = "kill -CONT {reader}",
     .meet = fill_log,
     .problem = "log",
     .end_event = "log_written"},
    {.name = "the clock is a day ahead, and set back",
     .begin = "date -s '+1 day'",
     .end = "date -s '-1 day'",
     .end_event = "clock_set"},
    {.name = "the interface has another MAC address",
     .begin = "ip -o link show dev enp0s3 | grep -o 'ether [^ ]*' | cut -d ' ' -f 2 > /run/mac && "
              "ip link set dev enp0s3 address 02:00:00:00:00:77",
     .end = "ip link set dev enp0s3 address $(cat /run/mac)",
     .outage = margin},
};

/// One fault of one director, from its begin to a pair that is as before.
void suffer(World& world, const Fault& fault, Pair::Director& director) {
  const bool on_master = world.master() == &director;
  INFO(fault.name << ", on the " << (on_master ? "master" : "backup"));
  const auto ends = *fault.end_event != '\0' ? world.events(director, fault.end_event) : 0;
  const lab::Download download(*world.pair.client, world.pair.service, 4s);
  REQUIRE(lab::wait_until([&] { return !download.server().empty(); }, 2s));

  const auto logged = world.log_of(director).size();
  const auto begin = net::monotonic_now();
  world.shell(director, fault.begin);
  const auto there = net::monotonic_now();
  if (fault.meet != nullptr) fault.meet(world, director);
  if (*fault.problem != '\0') {
    const auto told = lab::wait_until(
        [&] {
          if (!fault.answers) return world.log_of(director).find(fault.problem, logged) != std::string::npos;
          return world.problems(director).contains(fault.problem);
        },
        10s);
    const auto after = net::monotonic_now() - there;
    if (!told) {
      FAIL_CHECK("not told; the problems: " << world.problems(director));
      return world.shell(director, fault.end);
    }
    WARN(fmt::format("{}, on the {}: told after {:.2f} s", fault.name, on_master ? "master" : "backup",
                     std::chrono::duration<double>(after).count()));
    CHECK(after <= told_within + world.pulse.stood_still(there, there + after));
  }
  lab::sleep_for(Pair::time_to_out);  // what would be taken for a failure is one by now
  world.shell(director, fault.end);
  if (*fault.end_event != '\0') {
    CHECK(lab::wait_until([&] { return world.events(director, fault.end_event) > ends; }, 10s));
  }
  CHECK(lab::wait_until([&] { return world.problems(director) == "[]"; }, 10s));
  CHECK(lab::wait_until([&] { return world.master() == &world.pair.lb1; }, 15s));
  CHECK(world.pair.ctl(director, {"weight", "web/web2", "file"}).status == 0);
  CHECK(world.prober->settle(300ms, 5s));

  const auto seen = world.prober->outage(begin, net::monotonic_now() - lab::Prober::limit);
  const auto lost = world.pulse.stood_still(begin, seen.over);
  WARN(fmt::format("{}, on the {}: {} requests lost, longest outage {:.1f} ms", fault.name,
                   on_master ? "master" : "backup", seen.failed,
                   std::chrono::duration<double, std::milli>(seen.longest).count()));
  const bool costs = on_master && fault.outage > 0ms;
  CHECK(seen.longest <= (costs ? fault.outage : margin) + lost);
  if (!costs && lost == 0ms) CHECK(seen.failed == 0);
  CHECK(lab::wait_until([&] { return download.ended(); }, 6s));
  CHECK(download.complete());
}

}  // namespace

TEST_CASE("each fault of a director's host is told, and costs what it must", "[world]") {
  World world;
  for (auto* director : {&world.pair.lb1, &world.pair.lb2}) {
    for (const auto& fault : faults) suffer(world, fault, *director);
  }
}
