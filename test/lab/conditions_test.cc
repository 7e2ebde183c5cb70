// What a node must have to lead (`track`, `give_up_when`), with real directors: a condition that fails on lb1 moves the
// role or lowers the priority, and its return brings both back.

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "test/catch.h"
#include "test/lab/client.h"
#include "test/lab/pair.h"

using namespace std::chrono_literals;
using lab::Pair;

namespace {

/// A pair of which lb1 leads, with more keys in the cluster file's virtual router `front`.
class Conditions {
 public:
  explicit Conditions(const std::string& keys)
      : pair{{.forward = Pair::Forward::nat, .advertise = 100ms, .programs = lab::programs_folder()}} {
    std::string file = pair.cluster_file();
    const std::string_view place = "    addresses: [192.168.56.10/24]\n";
    file.insert(file.find(place) + place.size(), keys);
    pair.write(file);
    for (const auto& director : pair.directors) {
      for (const auto& words : {std::vector<std::string>{"add", "uplink", "type", "dummy"}, {"set", "uplink", "up"}}) {
        std::vector<std::string> command = {"ip", "link"};
        command.insert(command.end(), words.begin(), words.end());
        REQUIRE(lab::run(*director.host, command).status == 0);
      }
    }
    for (auto& director : pair.directors) pair.start(director);
    expect_lead(pair.lb1, "the start");
  }

  void expect_lead(const Pair::Director& director, const std::string& after) {
    const auto& other = &director == &pair.lb1 ? pair.lb2 : pair.lb1;
    const auto took = lab::wait_until([&] { return pair.holds_both(director) && !pair.holds_any(other); }, 15s);
    INFO(after << "\n" << vrrp(pair.lb1) << vrrp(pair.lb2));
    REQUIRE(took);
    WARN(fmt::format("{}: {} leads after {} ms", after, director.host->name, *took / 1ms));
  }

  [[nodiscard]] std::string vrrp(const Pair::Director& director) { return pair.ctl(director, {"vrrp"}).text; }

  void expect_word(const Pair::Director& director, const std::string& word) {
    const bool said = lab::wait_until([&] { return vrrp(director).contains(word); }, 5s).has_value();
    INFO(vrrp(director));
    CAPTURE(word);
    CHECK(said);
  }

  /// An event of that kind, and that all of its kind have that severity.
  void expect_event(const Pair::Director& director, const std::string& kind, const std::string& severity) {
    const auto answer = nlohmann::json::parse(pair.ctl(director, {"events", "--json"}).text, nullptr, false);
    CAPTURE(kind, answer);
    REQUIRE(answer.is_object());
    int seen = 0;
    for (const auto& event : answer["events"]) {
      if (event["kind"] != kind) continue;
      ++seen;
      CHECK(event["severity"] == severity);
    }
    CHECK(seen > 0);
  }

  void expect_service() { CHECK(lab::request(*pair.client, pair.service, 4).failed == 0); }

  void on_lb1(std::vector<std::string> command) {
    const auto done = lab::run(*pair.lb1.host, std::move(command));
    INFO(done.text);
    REQUIRE(done.status == 0);
  }

  Pair pair;
};

/// A folder of programs that succeed on every node but lb1, where they look for a file of their name with `.ok`.
class Scripts {
 public:
  explicit Scripts(const std::vector<std::string>& names) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    for (const auto& name : names) {
      std::ofstream(program(name)) << "#!/bin/sh\n[ \"$(/bin/hostname)\" != lb1 ] || [ -e " << program(name)
                                   << ".ok ]\n";
      std::filesystem::permissions(program(name), std::filesystem::perms(0755));
      set(name, true);
    }
  }
  [[nodiscard]] std::string program(const std::string& name) const { return folder_ / name; }
  void set(const std::string& name, bool good) const {
    if (good) {
      std::ofstream(program(name) + ".ok") << "\n";
    } else {
      std::filesystem::remove(program(name) + ".ok");
    }
  }

 private:
  std::filesystem::path folder_ = "/run/tracked";
};

constexpr std::string_view timing = "interval: 200ms, timeout: 150ms, rise: 1, fall: 2";

/// A shell, and what it starts, take a tenth of a second in the lab.
constexpr std::string_view slow = "interval: 1s, timeout: 900ms, rise: 1, fall: 2";

}  // namespace

TEST_CASE("a tracked script, process or link that fails takes the role away, and gives it back", "[conditions]") {
  const Scripts scripts({"script"});
  const auto process = scripts.program("process");
  std::ofstream(process) << "#!/bin/sh\n[ \"$(/bin/hostname)\" != lb1 ] || /usr/bin/pgrep -x tracked\n";
  std::filesystem::permissions(process, std::filesystem::perms(0755));
  const auto tracked = scripts.program("tracked");
  std::filesystem::copy_file("/usr/bin/sleep", tracked);
  lab::Topology elsewhere;
  const auto& host = elsewhere.add_host("other");
  std::optional<lab::Process> running;
  running.emplace(host, std::vector<std::string>{tracked, "1000"}, "/dev/null");
  Conditions it(fmt::format(R"(    track:
      script: {{ check: {{ exec: {{ command: [{}] }}, {timing} }} }}
      process: {{ check: {{ exec: {{ command: [{}] }}, {timing} }} }}
      uplink: {{ link: uplink }}
)",
                            scripts.program("script"), process, fmt::arg("timing", slow)));
  scripts.set("script", false);
  it.expect_lead(it.pair.lb2, "the script fails");
  it.expect_word(it.pair.lb1, "front: fault");
  it.expect_word(it.pair.lb1, "script: ");
  it.expect_event(it.pair.lb1, "router_fault", "warning");
  it.expect_event(it.pair.lb2, "router_role", "info");
  it.expect_service();
  scripts.set("script", true);
  it.expect_lead(it.pair.lb1, "the script passes again");

  running.reset();
  it.expect_lead(it.pair.lb2, "the process ended");
  it.expect_word(it.pair.lb1, "process: ");
  running.emplace(host, std::vector<std::string>{tracked, "1000"}, "/dev/null");
  it.expect_lead(it.pair.lb1, "the process runs again");

  it.on_lb1({"ip", "link", "set", "uplink", "down"});
  it.expect_lead(it.pair.lb2, "the link went down");
  it.expect_word(it.pair.lb1, "uplink: link uplink is down");
  it.on_lb1({"ip", "link", "delete", "uplink"});
  it.expect_word(it.pair.lb1, "uplink: there is no interface uplink");
  it.on_lb1({"ip", "link", "add", "uplink", "type", "dummy"});
  it.on_lb1({"ip", "link", "set", "uplink", "up"});
  it.expect_lead(it.pair.lb1, "the link is up again");
  it.expect_service();
}

TEST_CASE("a tracked ping that fails lowers the priority, below the other node's or not so far", "[conditions]") {
  Conditions it(fmt::format(R"(    track:
      client: {{ check: {{ icmp: {{}}, address: 192.168.56.100, {timing} }}, lower: 40 }}
      web: {{ check: {{ icmp: {{}}, address: 192.168.200.11, {timing} }}, lower: 40 }}
)",
                            fmt::arg("timing", timing)));
  const auto ping = [&](const char* to, bool passes) {
    it.on_lb1({"iptables-legacy", passes ? "-D" : "-A", "INPUT", "-p", "icmp", "-s", to, "-j", "DROP"});
  };
  ping("192.168.56.100", false);
  it.expect_word(it.pair.lb1, "priority 110");
  lab::sleep_for(1s);
  it.expect_lead(it.pair.lb1, "one ping fails, and the priority is the greater one still");
  ping("192.168.200.11", false);
  it.expect_word(it.pair.lb1, "priority 70");
  it.expect_word(it.pair.lb1, "tracker client: down since 20");
  it.expect_word(it.pair.lb1, "; when down: priority lowered by 40");
  it.expect_lead(it.pair.lb2, "two pings fail");
  it.expect_word(it.pair.lb1, "front: backup");
  it.expect_service();
  ping("192.168.56.100", true);
  ping("192.168.200.11", true);
  it.expect_lead(it.pair.lb1, "the pings pass again");
  it.expect_word(it.pair.lb1, "priority 150");
  it.expect_event(it.pair.lb1, "router_lowered", "warning");
  it.expect_event(it.pair.lb1, "router_raised", "info");
  const auto events = it.pair.ctl(it.pair.lb1, {"events"}).text;
  CHECK_THAT(events, Catch::ContainsSubstring("vrrp front: priority 150 -> 110: client: ") &&
                         Catch::ContainsSubstring("vrrp front: priority 110 -> 70: web: ") &&
                         Catch::ContainsSubstring("-> 150: "));
}

TEST_CASE("one whose service is below its quorum gives the role up, and leads only where nobody else does",
          "[conditions]") {
  Conditions it("    give_up_when: web below quorum\n");
  const auto servers = [&](bool answer) {  // to lb1's checks alone
    it.on_lb1({"iptables-legacy", answer ? "-D" : "-A", "OUTPUT", "-p", "tcp", "-s", "192.168.200.251", "-j", "DROP"});
  };
  it.expect_service();
  servers(false);
  it.expect_lead(it.pair.lb2, "below quorum on lb1");
  it.expect_word(it.pair.lb1, "waits: service web is below its quorum");
  it.expect_word(it.pair.lb1, "priority 1,");
  it.expect_service();

  it.pair.kill(it.pair.lb2);
  it.expect_lead(it.pair.lb1, "the better one is dead");
  it.expect_word(it.pair.lb1, "front: master");
  it.pair.start(it.pair.lb2);
  it.expect_lead(it.pair.lb2, "the better one is back");
  it.expect_service();

  servers(true);
  it.expect_lead(it.pair.lb1, "above quorum again");
  it.expect_word(it.pair.lb1, "priority 150");
  it.expect_event(it.pair.lb1, "router_gives_up", "warning");
  it.expect_event(it.pair.lb1, "router_may_lead", "info");
  it.expect_service();
}
