// One node of ours and one keepalived, in both roles.

#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "test/catch.h"
#include "test/interop/vrrp/ear.h"
#include "test/interop/vrrp/node.h"
#include "test/lab/pulse.h"

using namespace std::chrono_literals;

namespace {

/// How the two speak with one another.
struct Way {
  std::string name;
  bool ipv6 = false;
  bool unicast = false;
  int version = 3;
  std::string password{};
  bool virtual_mac = false;
};

const Way multicast{.name = "IPv4 multicast"};
const Way unicast{.name = "IPv4 unicast", .unicast = true};
const Way old{.name = "version 2", .version = 2};
const Way old_with_password{.name = "version 2 with a password", .version = 2, .password = "secret"};
const Way ipv6{.name = "IPv6 multicast", .ipv6 = true};
const Way virtual_mac{.name = "a virtual MAC", .virtual_mac = true};

constexpr auto skew_100 = 61ms;  // priority 100, adverts of 100 ms
constexpr auto slack = 40ms;     // both daemons' timers and loops

/// Ours on lb1, keepalived on lb2, with adverts of 100 ms.
struct Couple {
  explicit Couple(const Way& with, std::uint8_t our_priority, std::uint8_t their_priority)
      : way(with), ours(host1, {our_spec(our_priority)}) {
    topology.add_network("lan");
    for (lab::Host* host : {&host1, &host2}) {
      host->sysctl("ipv6/conf/default/accept_dad", "0");
      const std::string number = host->name.substr(2);
      topology.connect(*host, "lan", "eth0", {way.ipv6 ? "2001:db8::" + number + "/64" : "10.0.0." + number + "/24"});
    }
    write_configuration(their_priority);
    ear.emplace(host1);
  }

  vrrp::Spec our_spec(std::uint8_t priority) const {
    vrrp::Spec all = spec("front", 51, priority, way.ipv6 ? "fe80::100/64" : "10.0.0.100/24");
    if (way.ipv6) all.addresses.push_back(lab::prefix("2001:db8::100/64"));
    all.virtual_mac = way.virtual_mac;
    all.version = static_cast<std::uint8_t>(way.version);
    all.password = way.password;
    if (way.version == 2) all.advertise = 1s;
    if (way.unicast) all.unicast = vrrp::Unicast{lab::address("10.0.0.1"), {lab::address("10.0.0.2")}};
    return all;
  }

  void write_configuration(int priority) const {
    std::ofstream(file)
        << "global_defs { vrrp_version " << way.version << " }\n"
        << "vrrp_instance front {\n  state BACKUP\n  interface eth0\n  virtual_router_id 51\n"
        << (way.version == 2 ? "  advert_int 1\n" : "  advert_int 0.1\n")
        << (way.password.empty() ? "" : "  authentication { auth_type PASS\n auth_pass " + way.password + " }\n")
        << "  priority " << priority << "\n"
        << (way.virtual_mac ? "  use_vmac\n" : "")
        << (way.unicast ? "  unicast_src_ip 10.0.0.2\n  unicast_peer { 10.0.0.1 }\n" : "") << "  virtual_ipaddress {\n"
        << (way.ipv6 ? "    fe80::100/64\n    2001:db8::100/64\n" : "    10.0.0.100/24\n") << "  }\n}\n";
  }

  void start_keepalived() {
    keepalived.emplace(host2,
                       std::vector<std::string>{"keepalived", "--dont-fork", "--log-console", "--vrrp", "-f", file,
                                                "-p", file.string() + ".pid", "-r", file.string() + ".vrrp.pid"},
                       file.string() + ".log");
  }

  [[nodiscard]] std::string keepalived_log() const {
    std::ifstream log(file.string() + ".log");
    return {std::istreambuf_iterator<char>(log), {}};
  }

  [[nodiscard]] bool holds(const lab::Host& host) const {
    return host.holds(lab::address(way.ipv6 ? "2001:db8::100" : "10.0.0.100"));
  }
  auto until(auto condition, net::Duration limit = 3s) { return pump({&ours}, condition, limit); }
  [[nodiscard]] bool we_hold() const { return holds(host1) && !holds(host2); }
  [[nodiscard]] bool they_hold() const { return holds(host2) && !holds(host1); }

  /// The last handover took no longer than the successor's skew, by the times of the packets and as far as the lab did
  /// not stand still meanwhile.
  void expect_handover() {
    const auto took = ear->handover();
    REQUIRE(took);
    const auto now = net::monotonic_now();
    const auto lost = pulse.stood_still(now - 2s, now);
    CAPTURE(net::to_string(*took), net::to_string(lost));
    CHECK(*took < skew_100 + slack + lost);
  }

  const Way& way;
  lab::Topology topology;
  lab::Host& host1 = topology.add_host("lb1");
  lab::Host& host2 = topology.add_host("lb2");
  std::filesystem::path file = std::filesystem::temp_directory_path() / "keepalived.conf";
  Node ours;
  lab::Pulse pulse;
  std::optional<Ear> ear;
  std::optional<lab::Process> keepalived;
};

}  // namespace

TEST_CASE("our master is obeyed by keepalived, hands over to it, and takes back", "[keepalived]") {
  const Way way = GENERATE(multicast, unicast, ipv6, virtual_mac);
  Couple couple(way, 150, 100);
  couple.ours.start();
  couple.start_keepalived();
  const auto failing = [&] { return way.name + "\n" + couple.ours.log + couple.ours.errors + couple.keepalived_log(); };
  INFO(way.name);
  REQUIRE(
      couple.until([&] { return couple.we_hold() && couple.keepalived_log().find("BACKUP") != std::string::npos; }));
  const auto disturbed = couple.until([&] { return !couple.we_hold(); }, 1500ms);
  if (disturbed) FAIL(failing());

  couple.ours.stop();
  if (!lab::wait_until([&] { return couple.they_hold(); }, 2s)) FAIL(failing());
  couple.expect_handover();

  couple.ours.start();
  if (!couple.until([&] { return couple.we_hold(); })) FAIL(failing());
  CHECK(couple.ours.status().reason.starts_with("no master was heard"));
  CHECK(couple.ours.errors.empty());
}

TEST_CASE("keepalived's master is obeyed by us, hands over to us, and takes back", "[keepalived]") {
  const Way way = GENERATE(multicast, unicast, ipv6, virtual_mac);
  Couple couple(way, 100, 150);
  couple.start_keepalived();
  couple.ours.start();
  const auto failing = [&] { return way.name + "\n" + couple.ours.log + couple.ours.errors + couple.keepalived_log(); };
  INFO(way.name);
  if (!couple.until([&] { return couple.they_hold(); })) FAIL(failing());
  couple.until([] { return false; }, 300ms);  // whatever election there was is over
  const auto disturbed = couple.until([&] { return !couple.they_hold(); }, 1s);
  if (disturbed) FAIL(failing());
  CHECK(couple.ours.state() == vrrp::RouterState::backup);
  CHECK(couple.ours.status().peers.at(0).priority == 150);

  couple.keepalived->signal(SIGTERM);
  if (!couple.until([&] { return couple.we_hold(); })) FAIL(failing());
  couple.expect_handover();
  CHECK(couple.ours.status().reason.ends_with("resigned"));
  CHECK(couple.keepalived->wait(3s));

  couple.start_keepalived();
  if (!couple.until([&] { return couple.they_hold(); })) FAIL(failing());
  CHECK(couple.ours.status().reason.ends_with("with priority 150, ours is 100"));
}

TEST_CASE("a keepalived of lower priority stays master when we do not preempt", "[keepalived]") {
  Couple couple(multicast, 150, 100);
  couple.ours.specs[0].preempt = false;
  couple.start_keepalived();
  REQUIRE(lab::wait_until([&] { return couple.they_hold(); }, 3s));
  couple.ours.start();
  CHECK_FALSE(couple.until([&] { return !couple.they_hold(); }, 1500ms));
  CHECK(couple.ours.state() == vrrp::RouterState::backup);
}

TEST_CASE("version 2, with its password or without: obeyed, handed over, taken back, both ways", "[keepalived-v2]") {
  const Way way = GENERATE(old, old_with_password);
  const bool we_are_first = GENERATE(true, false);
  INFO(way.name << (we_are_first ? ", ours first" : ", theirs first"));
  Couple couple(way, we_are_first ? 150 : 100, we_are_first ? 100 : 150);
  const auto failing = [&] {
    return couple.ours.log + couple.ours.errors + couple.ours.notices + couple.keepalived_log();
  };
  const auto first_holds = [&] { return we_are_first ? couple.we_hold() : couple.they_hold(); };
  const auto second_holds = [&] { return we_are_first ? couple.they_hold() : couple.we_hold(); };
  couple.ours.start();
  couple.start_keepalived();
  if (!couple.until(first_holds, 6s)) FAIL(failing());
  couple.until([] { return false; }, 1s);
  if (couple.until([&] { return !first_holds(); }, 4s)) FAIL(failing());
  if (we_are_first) {
    couple.ours.stop();
    if (!lab::wait_until(second_holds, 2s)) FAIL(failing());
    couple.ours.start();
  } else {
    couple.keepalived->signal(SIGTERM);
    if (!couple.until(second_holds, 2s)) FAIL(failing());
    REQUIRE(couple.keepalived->wait(3s));
    couple.start_keepalived();
  }
  if (!couple.until(first_holds, 6s)) FAIL(failing());
  CHECK(couple.ours.notices.empty());
}

TEST_CASE("version 2 with another password is no peer", "[keepalived-v2]") {
  Couple couple(old_with_password, 100, 150);
  couple.ours.specs[0].password = "Secret";
  couple.start_keepalived();
  couple.ours.start();
  CHECK(couple.until([&] { return couple.ours.is_master() && couple.holds(couple.host2); }, 8s));
  const auto refused = [&] {
    return couple.ours.status().adverts.rejected[std::to_underlying(vrrp::RejectReason::password)];
  };
  // One is all that can be waited for: keepalived 2.2.7 starts its advert timer anew at every advert it refuses, and
  // where ours comes first in each second it sends its first and then no more.
  if (!couple.until([&] { return refused() >= 1; })) {
    FAIL(refused() << couple.ours.log << couple.ours.errors << couple.ours.notices << couple.keepalived_log());
  }
  CHECK(couple.ours.notices.find("its password is missing or differs") != std::string::npos);
}
