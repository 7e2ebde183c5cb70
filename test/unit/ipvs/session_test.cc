#include "ipvs/ctl/session.h"

#include <sys/mman.h>
#include <unistd.h>

#include "ipvs/memory_kernel.h"
#include "test/catch.h"

using namespace ipvs;

namespace {

/// What a session on an imagined kernel returned and wrote.
struct Outcome {
  int status;
  std::string out, err;
};

class Bench {
 public:
  template <class Work>
  Outcome with(Work work) {
    char* texts[2] = {};
    std::size_t sizes[2] = {};
    std::FILE* out = ::open_memstream(&texts[0], &sizes[0]);
    std::FILE* err = ::open_memstream(&texts[1], &sizes[1]);
    Session session(kernel, out, err);
    const int status = work(session);
    std::fclose(out);
    std::fclose(err);
    Outcome outcome{.status = status, .out = {texts[0], sizes[0]}, .err = {texts[1], sizes[1]}};
    ::free(texts[0]);
    ::free(texts[1]);
    return outcome;
  }

  Outcome run(std::string_view line) {
    const auto command = parse_rule(line);
    REQUIRE(command);
    REQUIRE(*command);
    return with([&](Session& session) { return session.run(**command); });
  }

  Outcome restore(const std::string& rules, bool strict = false) {
    const int input = ::memfd_create("rules", 0);
    REQUIRE(::write(input, rules.data(), rules.size()) == static_cast<ssize_t>(rules.size()));
    REQUIRE(::lseek(input, 0, SEEK_SET) == 0);
    const Outcome outcome = with([&](Session& session) { return session.restore(input, strict); });
    ::close(input);
    return outcome;
  }

  Outcome diff(std::string_view rules) {
    return with([&](Session& session) { return session.diff(rules, false); });
  }
  Outcome apply(std::string_view rules) {
    return with([&](Session& session) { return session.apply(rules); });
  }

  MemoryKernel kernel;
};

const std::string pair =
    "-A -t 10.0.0.1:80 -s wrr\n"
    "-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 3\n"
    "-a -t 10.0.0.1:80 -r 10.1.0.2:80 -m -w 1\n";

}  // namespace

TEST_CASE("what was restored is saved again") {
  Bench bench;
  CHECK(bench.restore("# rules\n" + pair).status == 0);
  CHECK(bench.run("-Sn").out == pair);
  CHECK(bench.run("-Ln").out ==
        "IP Virtual Server version 1.2.1 (size=4096)\n"
        "Prot LocalAddress:Port Scheduler Flags\n"
        "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"
        "TCP  10.0.0.1:80 wrr\n"
        "  -> 10.1.0.1:80                  Masq    3      0          0         \n"
        "  -> 10.1.0.2:80                  Masq    1      0          0         \n");
}

TEST_CASE("rules are restored in their order, whatever they ask for between") {
  Bench bench;
  std::string rules;
  for (int i = 1; i <= 250; ++i) rules += "-A -t 10.0.0." + std::to_string(i) + ":80\n";
  const Outcome outcome = bench.restore(rules + "-D -t 10.0.0.1:80\n-Sn\n-C\n-Sn\n" + pair);
  CHECK(outcome.status == 0);
  CHECK(std::ranges::count(outcome.out, '\n') == 249);
  CHECK(bench.kernel.table.size() == 1);
}

TEST_CASE("a refused rule is reported with its line and passed over; batch tells of it by its status") {
  for (const bool strict : {false, true}) {
    Bench bench;
    const Outcome outcome = bench.restore("\n" + pair + pair + "-A -t 10.0.0.9:80\n", strict);
    CHECK(outcome.status == (strict ? 1 : 0));
    CHECK(outcome.err ==
          "ipvsctl: line 5: add tcp 10.0.0.1:80: it already exists; use -E to change it\n"
          "ipvsctl: line 6: add 10.1.0.1:80 to tcp 10.0.0.1:80: it already exists; use -e to change it\n"
          "ipvsctl: line 7: add 10.1.0.2:80 to tcp 10.0.0.1:80: it already exists; use -e to change it\n");
    CHECK(bench.kernel.table.size() == 2);
    CHECK(bench.restore(pair, strict).status == (strict ? 1 : 255));
  }
}

TEST_CASE("a line that is no command ends a restore, after the lines before it were done") {
  Bench bench;
  const Outcome outcome = bench.restore(pair + "garbage\n-C\n");
  CHECK(outcome.status == 255);
  CHECK(outcome.err == "ipvsctl: line 4: no command; ipvsctl -h lists them\n");
  CHECK(bench.kernel.table.size() == 1);
  CHECK(bench.restore("-a -t 10.0.0.1:80\n").status == 2);
  CHECK(bench.restore("-R\n").err == "ipvsctl: line 1: 'restore' is not allowed in rules\n");
}

TEST_CASE("errors say what to do") {
  Bench bench;
  REQUIRE(bench.restore(pair).status == 0);
  struct Case {
    std::string_view line, message;
  };
  const Case cases[] = {
      {"-A -t 10.0.0.1:80", "add tcp 10.0.0.1:80: it already exists; use -E to change it"},
      {"-a -t 10.0.0.1:80 -r 10.1.0.1", "add 10.1.0.1:80 to tcp 10.0.0.1:80: it already exists; use -e to change it"},
      {"-E -t 10.0.0.2:80", "change tcp 10.0.0.2:80: there is no service tcp 10.0.0.2:80; use -A to add it"},
      {"-a -t 10.0.0.2:80 -r 10.1.0.1",
       "add 10.1.0.1:80 to tcp 10.0.0.2:80: there is no service tcp 10.0.0.2:80; add it first with -A"},
      {"-e -t 10.0.0.1:80 -r 10.1.0.9",
       "change 10.1.0.9:80 of tcp 10.0.0.1:80: there is no such destination; use -a to "
       "add it"},
      {"-D -t 10.0.0.2:80", "remove tcp 10.0.0.2:80: there is no service tcp 10.0.0.2:80"},
      {"-A -t 10.0.0.3:80 -s rrr",
       "add tcp 10.0.0.3:80: the kernel has no scheduler \"rrr\"; load its module: modprobe ip_vs_rrr"},
      {"--stop-daemon master", "stop the master sync daemon: it is not running"},
  };
  for (const Case& each : cases) {
    INFO(each.line);
    const Outcome outcome = bench.run(each.line);
    CHECK(outcome.status == 255);
    CHECK(outcome.err == "ipvsctl: " + std::string(each.message) + "\n");
  }
  const Outcome missing = bench.run("-Ln -t 10.0.0.2:80");
  CHECK(missing.status == 1);
  CHECK(missing.out.empty());
  CHECK(missing.err == "ipvsctl: there is no service tcp 10.0.0.2:80\n");
}

TEST_CASE("a difference is printed as rules, and applying it leaves none") {
  Bench bench;
  REQUIRE(bench.restore(pair + "-A -u 10.0.0.1:53\n--start-daemon master --mcast-interface lo --syncid 1\n").status ==
          0);
  const std::string desired =
      "-A -t 10.0.0.1:80 -s rr\n"
      "-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 0\n"
      "-a -t 10.0.0.1:80 -r 10.1.0.3:80 -g -w 1\n"
      "--set 0 0 60\n"
      "--start-daemon master --mcast-interface lo --syncid 2\n";
  const Outcome outcome = bench.diff(desired);
  CHECK(outcome.status == 1);
  CHECK(outcome.out ==
        "-E -t 10.0.0.1:80 -s rr\n"
        "-e -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 0\n"
        "-a -t 10.0.0.1:80 -r 10.1.0.3:80 -g -w 1\n"
        "-d -t 10.0.0.1:80 -r 10.1.0.2:80\n"
        "-D -u 10.0.0.1:53\n"
        "--set 0 0 60\n"
        "--stop-daemon master\n"
        "--start-daemon master --mcast-interface lo --syncid 2\n");
  bench.kernel.table[ServiceKey{.endpoint = *net::Endpoint::parse("10.0.0.1:80")}].stats.connections = 42;
  CHECK(bench.apply(desired).status == 0);
  CHECK(bench.kernel.table.begin()->second.stats.connections == 42);
  const Outcome nothing = bench.diff(desired);
  CHECK(nothing.status == 0);
  CHECK(nothing.out.empty());
  const Outcome json = bench.with([&](Session& session) { return session.diff("-A -f 1\n", true); });
  CHECK(json.status == 1);
  CHECK(json.out == "{\"changes\":[\n\"-A -f 1 -s wlc\",\n\"-D -t 10.0.0.1:80\"]}\n");
}

TEST_CASE("rules that are wrong change nothing") {
  Bench bench;
  const Outcome outcome = bench.apply(pair + "-A -t 10.0.0.2:80 -w 3\n");
  CHECK(outcome.status == 255);
  CHECK(outcome.err == "ipvsctl: line 4: Illegal 'weight' option with the 'add-service' command\n");
  CHECK(bench.kernel.table.empty());
}

TEST_CASE("a kernel that fails is reported as it says") {
  using enum MemoryKernel::Fault;
  Bench bench;
  bench.kernel.faults = {interrupted_dump, lost_reply, busy};
  CHECK(bench.run("-Ln").err == "ipvsctl: list the IPVS table: Interrupted system call\n");
  CHECK(bench.restore(pair).status == 255);
  CHECK(bench.kernel.table.size() == 1);
  CHECK(bench.run("-C").err == "ipvsctl: change the IPVS table: Device or resource busy\n");
  CHECK(bench.apply("").status == 0);
  CHECK(bench.kernel.table.empty());
}

TEST_CASE("JSON lists the table") {
  Bench bench;
  CHECK(bench.run("-L --json").out ==
        "{\"ipvs\":{\"version\":\"1.2.1\",\"connection_table_size\":4096},\"services\":[]}\n");
  CHECK(bench.run("-L --timeout --json").out == "{\"tcp\":900,\"tcp_fin\":120,\"udp\":300}\n");
  REQUIRE(bench.restore(pair + "--start-daemon backup --mcast-interface lo --syncid 1\n").status == 0);
  CHECK(bench.run("-L --daemon --json").out ==
        "{\"daemons\":[{\"state\":\"backup\",\"interface\":\"lo\",\"sync_id\":1,\"max_length\":65507,\"group\":"
        "\"224.0.0.81\",\"port\":8848,\"ttl\":1}]}\n");
  CHECK(bench.run("-L --json -t 10.0.0.1:80")
            .out.starts_with("{\"ipvs\":{\"version\":\"1.2.1\",\"connection_table_size\":4096},\"services\":[\n{"
                             "\"protocol\":\"tcp\""));
}
