// One node of ours and FRR's vrrpd, in both roles.

#include <fmt/format.h>
#include <net/if.h>
#include <pwd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "test/catch.h"
#include "test/interop/vrrp/ear.h"
#include "test/interop/vrrp/node.h"
#include "test/lab/pulse.h"

using namespace std::chrono_literals;

namespace {

constexpr auto skew_100 = 61ms;  // priority 100, adverts of 100 ms
constexpr auto slack = 40ms;     // both daemons' timers and loops

/// zebra and vrrpd on a host, with a folder of their own. FRR holds virtual addresses on a macvlan with the virtual
/// router's MAC, which the operator makes and vrrpd takes down while it is a backup.
class Frr {
 public:
  Frr(const lab::Host& host, bool ipv6, int priority, bool preempt) : host_(host) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    const passwd* user = ::getpwnam("frr");
    REQUIRE(user != nullptr);
    REQUIRE(::chown(folder_.c_str(), user->pw_uid, user->pw_gid) == 0);
    std::ofstream(folder_ / "zebra.conf") << "\n";
    std::ofstream(folder_ / "vrrpd.conf")
        << "interface eth0\n vrrp 51\n vrrp 51 advertisement-interval 100\n vrrp 51 priority " << priority << "\n"
        << (preempt ? "" : " no vrrp 51 preempt\n")
        << (ipv6 ? " vrrp 51 ipv6 2001:db8::100\n" : " vrrp 51 ip 10.0.0.100\n");
    const auto ip = [&](std::vector<std::string> words) {
      words.insert(words.begin(), "ip");
      const auto done = lab::run(host_, words);
      INFO(done.text);
      REQUIRE(done.status == 0);
    };
    ip({"link", "add", "virtual", "link", "eth0", "type", "macvlan", "mode", "bridge"});
    ip({"link", "set", "virtual", "address", mac(ipv6)});
    ip({"address", "add", ipv6 ? "2001:db8::100/64" : "10.0.0.100/24", "dev", "virtual"});
    ip({"link", "set", "virtual", "up"});
    zebra_.emplace(start("zebra"));
    REQUIRE(lab::wait_until([&] { return std::filesystem::exists(folder_ / "zserv.api"); }, 5s));
  }

  static std::string mac(bool ipv6) { return ipv6 ? "00:00:5e:00:02:33" : "00:00:5e:00:01:33"; }

  void begin() { vrrpd_.emplace(start("vrrpd")); }

  void stop() {
    vrrpd_->signal(SIGTERM);
    CHECK(vrrpd_->wait(5s) == 0);
  }

  /// Its macvlan has a carrier.
  [[nodiscard]] bool holds() const {
    const lab::Within within(host_.network);
    const net::Fd socket(lab::must(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
    ifreq request{};
    std::string_view("virtual").copy(request.ifr_name, IFNAMSIZ - 1);
    lab::must(::ioctl(socket.get(), SIOCGIFFLAGS, &request), "look at the macvlan");
    return (request.ifr_flags & IFF_RUNNING) != 0;
  }

  [[nodiscard]] std::string log() const {
    std::ifstream log(folder_ / "vrrpd.log");
    return {std::istreambuf_iterator<char>(log), {}};
  }

 private:
  lab::Process start(const std::string& program) const {
    return {host_,
            {"/usr/lib/frr/" + program, "--vty_addr", "127.0.0.1", "--vty_port", "0", "--vty_socket", folder_,
             "--socket", folder_ / "zserv.api", "--pid_file", folder_ / (program + ".pid"), "--config_file",
             folder_ / (program + ".conf"), "--log", "stdout"},
            folder_ / (program + ".log")};
  }

  const lab::Host& host_;
  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / "frr";
  std::optional<lab::Process> zebra_, vrrpd_;
};

/// Ours on lb1, FRR on lb2, with adverts of 100 ms, and a client that knows whom to send to.
struct Couple {
  Couple(bool with_ipv6, std::uint8_t with_priority, int with_their_priority, bool they_preempt = true)
      : ipv6(with_ipv6),
        our_priority(with_priority),
        their_priority(with_their_priority),
        ours(host1, {our_spec(with_priority)}) {
    topology.add_network("lan");
    int number = 0;
    for (lab::Host* host : {&host1, &host2, &client}) {
      ++number;
      host->sysctl("ipv6/conf/default/accept_dad", "0");
      host->sysctl("ipv4/conf/all/arp_ignore", "1");  // eth0 must not answer for the macvlan beside it
      host->sysctl("ipv4/conf/all/arp_announce", "2");
      topology.connect(*host, "lan", "eth0",
                       {fmt::format("{}{}", ipv6 ? "2001:db8::" : "10.0.0.", number) + (ipv6 ? "/64" : "/24")});
    }
    ear.emplace(host1);
    frr.emplace(host2, ipv6, their_priority, they_preempt);
  }

  vrrp::Spec our_spec(std::uint8_t priority) const {
    vrrp::Spec all = spec("front", 51, priority, ipv6 ? "2001:db8::100/64" : "10.0.0.100/24");
    return all;
  }

  auto until(auto condition, net::Duration limit = 3s) { return pump({&ours}, condition, limit); }
  [[nodiscard]] bool we_hold() { return host1.holds(address()) && !frr->holds() && speaker() == our_priority; }
  [[nodiscard]] bool they_hold() { return frr->holds() && !host1.holds(address()) && speaker() == their_priority; }
  /// The priority of the last advert that was no farewell.
  [[nodiscard]] int speaker() {
    const auto& all = ear->heard();
    const auto last =
        std::ranges::find_if(all.rbegin(), all.rend(), [](const auto& advert) { return advert.priority != 0; });
    return last == all.rend() ? 0 : last->priority;
  }
  [[nodiscard]] net::Address address() const { return lab::address(ipv6 ? "2001:db8::100" : "10.0.0.100"); }

  /// What a program prints, while our node goes on.
  [[nodiscard]] std::string run(const lab::Host& host, std::vector<std::string> argv) {
    const auto file = std::filesystem::temp_directory_path() / "printed";
    std::filesystem::remove(file);
    lab::Process process(host, std::move(argv), file);
    until([&] { return process.wait(0s).has_value(); }, 10s);
    std::ifstream printed(file);
    return {std::istreambuf_iterator<char>(printed), {}};
  }

  /// Where the client sends what is for the virtual address: its neighbour table's word.
  [[nodiscard]] std::string neighbour() { return run(client, {"ip", "neighbour", "show", to_string(address())}); }
  /// The same after it has sent something.
  [[nodiscard]] std::string clients_neighbour() {
    static_cast<void>(run(client, {"bash", "-c", fmt::format("echo >/dev/udp/{}/9", to_string(address()))}));
    std::string known;
    for (int tries = 0; tries < 10 && !known.contains("lladdr"); ++tries) known = neighbour();
    return known;
  }
  [[nodiscard]] std::string our_mac() {
    const auto text = run(host1, {"ip", "-o", "link", "show", "dev", "eth0"});
    return text.substr(text.find("link/ether ") + 11, 17);
  }

  /// The last handover took no longer than the successor's skew, by the times of the packets and as far as the lab did
  /// not stand still meanwhile.
  void expect_handover(const std::string& direction, net::Duration more = {}) {
    const auto took = ear->handover();
    REQUIRE(took);
    const auto now = net::monotonic_now();
    const auto lost = pulse.stood_still(now - 2s, now);
    WARN(fmt::format("{}, {}: {} from the farewell to the successor's advert", direction, ipv6 ? "IPv6" : "IPv4",
                     net::to_string(std::chrono::ceil<std::chrono::milliseconds>(*took))));
    CHECK(*took < skew_100 + slack + more + lost);
  }

  [[nodiscard]] std::string story() const { return ours.log + ours.errors + ours.notices + frr->log(); }

  bool ipv6;
  int our_priority, their_priority;
  lab::Topology topology;
  lab::Host& host1 = topology.add_host("lb1");
  lab::Host& host2 = topology.add_host("lb2");
  lab::Host& client = topology.add_host("client");
  Node ours;
  lab::Pulse pulse;
  std::optional<Ear> ear;
  std::optional<Frr> frr;
};

}  // namespace

TEST_CASE("our master is obeyed by FRR, hands over to it, and takes back", "[frr]") {
  Couple couple(GENERATE(false, true), 150, 100);
  couple.ours.start();
  couple.frr->begin();
  if (!couple.until([&] { return couple.we_hold(); })) FAIL(couple.story());
  if (couple.until([&] { return !couple.we_hold(); }, 1500ms)) FAIL(couple.story());
  CHECK(couple.clients_neighbour().contains(couple.our_mac()));

  couple.ours.stop();
  if (!lab::wait_until([&] { return couple.they_hold(); }, 2s)) FAIL(couple.story());
  // FRR's first IPv6 advert is lost while its macvlan comes up: the second is heard, an interval later.
  couple.expect_handover("ours to FRR", couple.ipv6 ? 100ms : 0ms);
  CHECK(couple.neighbour().contains(Frr::mac(couple.ipv6)));

  couple.ours.start();
  if (!couple.until([&] { return couple.we_hold(); })) FAIL(couple.story());
  CHECK(couple.ours.status().reason.starts_with("no master was heard"));
  CHECK(couple.clients_neighbour().contains(couple.our_mac()));
  if (couple.until([&] { return !couple.we_hold(); }, 1s)) FAIL(couple.story());
  CHECK(couple.ours.errors + couple.ours.notices == "");
}

TEST_CASE("FRR's master is obeyed by us, hands over to us, and takes back", "[frr]") {
  Couple couple(GENERATE(false, true), 100, 150);
  couple.frr->begin();
  couple.ours.start();
  if (!couple.until([&] { return couple.they_hold() && couple.ours.status().peers.size() == 1; })) FAIL(couple.story());
  couple.until([] { return false; }, 300ms);  // whatever election there was is over
  if (couple.until([&] { return !couple.they_hold(); }, 1s)) FAIL(couple.story());
  CHECK(couple.ours.state() == vrrp::RouterState::backup);
  CHECK(couple.ours.status().peers.at(0).priority == 150);
  CHECK(couple.clients_neighbour().contains(Frr::mac(couple.ipv6)));

  couple.frr->stop();
  if (!couple.until([&] { return couple.host1.holds(couple.address()) && couple.speaker() == 100; }))
    FAIL(couple.story());
  couple.expect_handover("FRR to ours");
  CHECK(couple.ours.status().reason.ends_with("resigned"));
  CHECK(couple.clients_neighbour().contains(couple.our_mac()));

  couple.frr->begin();
  if (!couple.until([&] { return couple.they_hold(); })) FAIL(couple.story());
  CHECK(couple.ours.status().reason.ends_with("with priority 150, ours is 100"));
  CHECK(couple.ours.errors + couple.ours.notices == "");
}

TEST_CASE("who does not preempt leaves the role with a lower priority, ours with FRR and FRR with ours", "[frr]") {
  const bool ipv6 = GENERATE(false, true);
  const bool we_are_first = GENERATE(true, false);
  Couple couple(ipv6, we_are_first ? 100 : 150, we_are_first ? 150 : 100, !we_are_first);
  couple.ours.specs[0].preempt = we_are_first;
  const auto first_holds = [&] { return we_are_first ? couple.we_hold() : couple.they_hold(); };
  if (we_are_first) {
    couple.ours.start();
    if (!couple.until([&] { return couple.ours.is_master(); })) FAIL(couple.story());
    couple.frr->begin();
    if (!couple.until(first_holds)) FAIL(couple.story());
  } else {
    couple.frr->begin();
    if (!lab::wait_until(first_holds, 5s)) FAIL(couple.story());
    couple.ours.start();
  }
  if (couple.until([&] { return !first_holds(); }, 1500ms)) FAIL(couple.story());
  CHECK(couple.ours.is_master() == we_are_first);
}
