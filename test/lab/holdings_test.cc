// What else a director may hold beside plain addresses, with requests flowing: an Ethernet address that moves with the
// role, and routes.

#include <fmt/format.h>

#include <algorithm>

#include "test/catch.h"
#include "test/lab/client.h"
#include "test/lab/pair.h"
#include "test/lab/pulse.h"

using namespace std::chrono_literals;
using lab::Pair;

namespace {

constexpr auto margin = 50ms;  // as the scenario's

/// The set-up's file with virtual MACs on both sides, and a route for networks behind the client.
std::string cluster_file(const Pair& pair) {
  std::string text = pair.cluster_file();
  const std::string front = "    addresses: [192.168.56.10/24]\n", back = "    addresses: [192.168.200.250/24]\n";
  text.replace(text.find(front), front.size(),
               "    addresses: [{ address: 192.168.56.10/24, label: web }]\n    mac: virtual\n"
               "    routes: [{ to: 203.0.113.0/24, via: 192.168.56.100, src: 192.168.56.10 }]\n");
  text.insert(text.find(back), "    mac: virtual\n");
  return text;
}

std::string said(const lab::Host& host, std::vector<std::string> words) {
  return lab::run(host, std::move(words)).text;
}

}  // namespace

TEST_CASE("virtual MACs on both sides of a NAT director, and a route: killed, back again, stopped", "[holdings]") {
  Pair pair({.forward = Pair::Forward::nat, .advertise = 100ms, .programs = lab::programs_folder()});
  pair.write(cluster_file(pair));
  for (auto& director : pair.directors) pair.start(director);
  const auto led_by = [&](Pair::Director& master) {
    const auto& other = &master == &pair.lb1 ? pair.lb2 : pair.lb1;
    return lab::wait_until([&] { return pair.holds_both(master) && !pair.holds_any(other); }, 15s).has_value();
  };
  REQUIRE(led_by(pair.lb1));
  const auto arp_ignore = [&] { return said(*pair.lb1.host, {"cat", "/proc/sys/net/ipv4/conf/enp0s3/arp_ignore"}); };
  CHECK(arp_ignore() == "1\n");
  lab::Pulse pulse;
  lab::Prober prober(*pair.client, pair.service);
  REQUIRE(prober.settle(500ms, 10s));

  const auto routed_by = [&](const Pair::Director& master) {
    return std::ranges::all_of(pair.directors, [&](const auto& director) {
      const auto route = said(*director.host, {"ip", "route", "show", "203.0.113.0/24"});
      return (route != "") == (&director == &master);
    });
  };
  const auto expect = [&](Pair::Director& master, net::Instant begin, net::Duration outage, const char* what) {
    INFO(what);
    CHECK(led_by(master));
    CHECK(prober.settle(300ms, 5s));
    const auto front = said(*pair.client, {"ip", "neighbour", "show", "192.168.56.10"});
    const auto back = said(*pair.web1.host, {"ip", "neighbour", "show", "192.168.200.250"});
    CHECK(front.find("lladdr 00:00:5e:00:01:33") != std::string::npos);
    CHECK(back.find("lladdr 00:00:5e:00:01:34") != std::string::npos);
    // A debug build on a busy machine may start too late to go on as master, and get the role back a second later.
    CHECK(lab::wait_until([&] { return routed_by(master); }, 5s));
    const auto seen = prober.outage(begin, net::monotonic_now() - lab::Prober::limit);
    const auto lost = pulse.stood_still(begin, seen.over);
    const auto ms = [](net::Duration time) { return std::chrono::duration<double, std::milli>(time).count(); };
    WARN(fmt::format("{}: outage {:.1f} ms, {} requests lost (expected {:.0f} ms at most)", what, ms(seen.longest),
                     seen.failed, ms(outage)));
    CHECK(seen.longest <= outage + lost);
  };
  auto begin = net::monotonic_now();
  pair.kill(pair.lb1);
  expect(pair.lb2, begin, margin, "SIGKILL");
  begin = net::monotonic_now();
  pair.start(pair.lb1);
  expect(pair.lb1, begin, margin, "return");
  begin = net::monotonic_now();
  pair.kill(pair.lb1);
  pair.start(pair.lb1);
  expect(pair.lb1, begin, margin, "SIGKILL and a start at once");
  const auto shown = pair.ctl(pair.lb1, {"vrrp"}).text;
  CAPTURE(shown);
  CHECK(shown.find("  virtual MAC 00:00:5e:00:01:33 on vrrp4.51\n") != std::string::npos);
  CHECK(shown.find("  route 203.0.113.0/24 via 192.168.56.100 src 192.168.56.10\n") != std::string::npos);
  begin = net::monotonic_now();
  pair.stop(pair.lb1);
  expect(pair.lb2, begin, margin, "stop");
  REQUIRE(pair.lb1.process->wait(5s));
  CHECK(said(*pair.lb1.host, {"ip", "-o", "link"}).find("vrrp4") == std::string::npos);
  CHECK(arp_ignore() == "0\n");  // though a life that was killed had set it
}
