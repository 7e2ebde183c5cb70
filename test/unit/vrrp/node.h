#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/memory_host.h"
#include "net/virtual_clock.h"
#include "test/catch.h"
#include "vrrp/advert.h"
#include "vrrp/routers.h"

namespace vrrp_test {

using namespace std::chrono_literals;

inline net::Address address(const std::string& text) { return net::Address::parse(text).value(); }
inline net::Prefix prefix(const std::string& text) { return net::Prefix::parse(text).value(); }

/// A node whose virtual routers are on a host in memory, in virtual time, and what they tell.
struct Node : vrrp::Listener {
  net::VirtualClock clock;
  net::Loop loop = net::Loop::create(clock).value();
  net::MemoryHost host{clock};
  std::string log, notices, errors;
  std::unique_ptr<vrrp::Routers> routers;

  void start(const vrrp::Spec& spec) {
    auto wanted = vrrp::prepare(host, {spec}, {});
    REQUIRE(wanted);
    auto started = vrrp::Routers::start(loop, host, std::move(*wanted), *this, {});
    REQUIRE(started);
    routers = std::move(*started);
  }

  void on_transition(const vrrp::Transition& transition) override {
    log += std::string(to_string(transition.from)) + " -> " + std::string(to_string(transition.to)) + "\n";
  }
  void on_error(const std::string& /*router*/, const net::Error& error) override { errors += error.message + "\n"; }
  void on_notice(const std::string& /*router*/, const vrrp::Notice& notice) override { notices += notice.text + "\n"; }
  void on_peer_identity(const vrrp::Identity& /*other*/, const net::Address& /*from*/) override {}
  void on_stopped() override {}

  /// An advert of VRID 51 arrives on eth0.
  void hear(const vrrp::Path& path, std::uint8_t priority, const std::vector<net::Address>& addresses,
            vrrp::Checksum checksum = vrrp::Checksum::rfc5798) {
    const auto bytes =
        encode({.router_id = 51, .priority = priority, .max_advertise_interval = 100ms, .addresses = addresses}, path,
               checksum);
    host.deliver("eth0", {.source = path.source, .destination = path.destination, .ttl = 255, .payload = bytes});
  }

  /// In steps, so that no timer is late.
  void run(net::Duration time) {
    for (auto passed = 0ms; passed < time; passed += 10ms) pass(10ms);
  }
  void pass(net::Duration time) {
    clock.advance_to(clock.now() + time);
    for (int turn = 0; turn < 5; ++turn) REQUIRE(loop.turn({}));
  }
};

}  // namespace vrrp_test
