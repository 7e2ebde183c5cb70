// The packets of the host in memory against those of the real one: what it sends, refuses and hears.
#include <fmt/format.h>

#include <algorithm>

#include "test/catch.h"
#include "test/interop/host/sides.h"
#include "test/lab/process.h"

using namespace std::chrono_literals;
using Use = net::RawSocket::Use;

namespace {

net::RawSocket::Spec wanted(Side& side, Use use, const std::string& interface, std::string_view group) {
  return {.name = "VRRP",
          .protocol = 112,
          .family = lab::address(group).family(),
          .use = use,
          .interface_index = side.index_of(interface),
          .interface = interface,
          .group = lab::address(group)};
}

/// On eth0, one of each use and family.
std::vector<std::unique_ptr<net::RawSocket>> open_sockets(Side& side) {
  std::vector<std::unique_ptr<net::RawSocket>> sockets;
  for (const char* group : {"224.0.0.18", "ff02::12"}) {
    for (const Use use : {Use::multicast, Use::unicast, Use::send_multicast}) {
      auto socket = side.host().open_socket(side.loop(), wanted(side, use, "eth0", group), [] {});
      if (socket) sockets.push_back(std::move(*socket));
    }
  }
  return sockets;
}

/// What becomes of packets from every source to every destination, a line for each.
std::vector<std::string> send_all(const std::vector<std::unique_ptr<net::RawSocket>>& sockets) {
  const std::vector<std::vector<std::string>> families = {
      {"10.0.0.1", "10.0.1.1", "10.0.0.9", "224.0.0.18", "10.0.0.2", "192.0.2.1"},
      {"fe80::1", "2001:db8::1", "fe80::9", "fe80::2", "ff02::12", "2001:db8::2", "2001:db8:ffff::1"}};
  std::vector<std::string> answers;
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    const bool unicast = i % 3 == 1;
    for (const std::string& source : families[i / 3]) {
      for (const std::string& destination : families[i / 3]) {
        const auto from = lab::address(source), to = lab::address(destination);
        if (from.is_multicast() || to.is_multicast() == unicast) continue;
        const std::byte payload[8] = {};
        const auto sent = sockets[i]->send(payload, from, to);
        answers.push_back(fmt::format("socket {}, {} to {}: {}", i, source, destination, sent ? 0 : sent.error().code));
      }
    }
  }
  return answers;
}

/// Sockets on a side, and what they have heard.
class Ears {
 public:
  explicit Ears(Side& side) : side_(side) {
    for (const char* group : {"224.0.0.18", "ff02::12"}) {
      for (const std::string interface : {"eth0", "eth1", "mv1"}) open(Use::multicast, interface, group);
      open(Use::unicast, "eth0", group);
    }
  }

  /// A line for each packet and socket, sorted.
  std::vector<std::string> heard() {
    REQUIRE(side_.loop().turn(0s));
    std::ranges::sort(heard_);
    return heard_;
  }

 private:
  void open(Use use, const std::string& interface, const char* group) {
    const auto i = sockets_.size();
    auto socket = side_.host().open_socket(side_.loop(), wanted(side_, use, interface, group), [this, i] { hear(i); });
    REQUIRE(socket);
    sockets_.push_back(std::move(*socket));
    names_.push_back(fmt::format("{} on {}", use == Use::unicast ? "unicast" : group, interface));
  }
  void hear(std::size_t i) {
    sockets_[i]->receive(100, [&](const net::RawSocket::Packet& packet) {
      heard_.push_back(fmt::format("{} hears {} to {}, ttl {}, {} bytes", names_[i], to_string(packet.source),
                                   to_string(packet.destination), packet.ttl, packet.payload.size()));
    });
  }

  Side& side_;
  std::vector<std::unique_ptr<net::RawSocket>> sockets_;
  std::vector<std::string> names_;
  std::vector<std::string> heard_;
};

}  // namespace

TEST_CASE("packets are refused for the same reasons") {
  RealSide real;
  MemorySide imagined(real);
  std::vector<std::unique_ptr<net::RawSocket>> of_real, of_imagined;
  const auto compare = [&](const std::string& when, const std::function<void(Side&)>& doing) {
    INFO(when);
    doing(real);
    doing(imagined);
    const std::string interfaces = imagined.interfaces();
    CHECK(interfaces == interfaces_like(real, interfaces));
    if (of_real.empty()) {
      of_real = open_sockets(real);
      of_imagined = open_sockets(imagined);
      REQUIRE(of_real.size() == 6);
      REQUIRE(of_imagined.size() == 6);
    }
    const auto expected = send_all(of_real), sent = send_all(of_imagined);
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(sent[i] == expected[i]);
  };
  compare("all is well", [](Side& side) {
    for (const std::string what : {"10.0.0.1/24", "fe80::1/64", "2001:db8::1/64"}) {
      REQUIRE(side.add_address("eth0", lab::prefix(what)));
    }
    for (const std::string what : {"10.0.1.1/24", "fe80::2/64"}) {
      REQUIRE(side.add_address("eth1", lab::prefix(what)));
    }
  });
  compare("there is no carrier", [](Side& side) { side.set_carrier("eth0", false); });
  compare("the interface is down", [](Side& side) { REQUIRE(side.host().set_up(side.index_of("eth0"), false)); });
  compare("it is up again", [](Side& side) {
    REQUIRE(side.host().set_up(side.index_of("eth0"), true));
    side.set_carrier("eth0", true);
  });
  compare("it is gone", [](Side& side) { REQUIRE(side.host().remove_interface(side.index_of("eth0"))); });
  CHECK(open_sockets(real).size() == open_sockets(imagined).size());
  CHECK(of_real[0]->dropped() == of_imagined[0]->dropped());
}

TEST_CASE("sockets hear the same of what a neighbour sends") {
  RealSide real;
  const lab::Host& neighbour = real.add_neighbour({"10.0.0.2/24", "fe80::2/64", "2001:db8::2/64"},
                                                  {"10.0.1.2/24", "fe80::12/64", "2001:db8:1::2/64"});
  MemorySide imagined(real);
  const auto both = [&](const std::function<void(Side&)>& doing) {
    doing(real);
    doing(imagined);
  };
  both([](Side& side) {
    for (const std::string what : {"10.0.0.1/24", "fe80::1/64", "2001:db8::1/64"}) {
      REQUIRE(side.add_address("eth0", lab::prefix(what)));
    }
    for (const std::string what : {"10.0.1.1/24", "fe80::11/64", "2001:db8:1::1/64"}) {
      REQUIRE(side.add_address("eth1", lab::prefix(what)));
    }
    const net::Mac mac = {std::byte{0}, std::byte{0}, std::byte{0x5e}, std::byte{0}, std::byte{1}, std::byte{7}};
    const auto made = side.host().make_macvlan({.name = "mv1", .lower_index = side.index_of("eth0"), .mac = mac});
    REQUIRE(made);
    REQUIRE(side.host().set_up(made->index, true));
  });
  Ears expected(real), ears(imagined);
  net::KernelHost speaker;
  const auto send = [&](const std::string& interface, const std::string& source, const std::string& destination) {
    const auto from = lab::address(source), to = lab::address(destination);
    const std::byte payload[12] = {};
    imagined.host().deliver(interface, {.source = from, .destination = to, .ttl = 255, .payload = payload});
    const lab::Within there(neighbour.network);
    const auto use = to.is_multicast() ? Use::multicast : Use::unicast;
    auto wants = wanted(real, use, interface, to.is_v4() ? "224.0.0.18" : "ff02::12");
    auto socket = speaker.open_socket(real.loop(), wants, [] {});
    REQUIRE(socket);
    CHECK((*socket)->send(payload, from, to));
  };
  const auto compare = [&](const std::string& when) {
    INFO(when);
    const std::string interfaces = imagined.interfaces();
    CHECK(interfaces == interfaces_like(real, interfaces));
    for (const std::string to : {"224.0.0.18", "224.0.0.5", "10.0.0.1"}) send("eth0", "10.0.0.2", to);
    for (const std::string to : {"224.0.0.18", "10.0.1.1"}) send("eth1", "10.0.1.2", to);
    for (const std::string to : {"ff02::12", "ff02::5", "fe80::1"}) send("eth0", "fe80::2", to);
    for (const std::string to : {"2001:db8::1"}) send("eth0", "2001:db8::2", to);
    for (const std::string to : {"ff02::12", "fe80::11"}) send("eth1", "fe80::12", to);
    lab::wait_until([&] { return expected.heard() == ears.heard(); }, 2s);
    lab::wait_until([&] { return expected.heard() != ears.heard(); }, 100ms);  // nothing comes after
    CHECK(ears.heard() == expected.heard());
  };
  compare("all is well");
  both([](Side& side) { REQUIRE(side.host().set_up(side.index_of("mv1"), false)); });
  compare("the macvlan is down");
  both([](Side& side) { REQUIRE(side.host().set_up(side.index_of("eth0"), false)); });
  compare("its lower interface is down");
}
