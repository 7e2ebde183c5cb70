#pragma once

#include <fmt/format.h>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "test/catch.h"
#include "test/unit/vrrp/node.h"

/// Nodes that sign their adverts, on hosts in memory, each with a clock of its own, on a link that takes a millisecond.
namespace vrrp_test {

/// What has been on the link.
struct Recorded {
  net::Instant at;
  net::Address source, destination;
  std::vector<std::byte> payload;

  [[nodiscard]] bool is_advert() const { return payload.at(0) == std::byte{0x31}; }
  [[nodiscard]] bool is_hello(int version) const {
    return payload.at(0) == std::byte{0x30} && payload.at(2) == static_cast<std::byte>(version);
  }
};

/// 10.0.0.1, 10.0.0.2, ...: the first has the greatest priority.
struct SignedNode : vrrp::Listener {
  explicit SignedNode(int number) : name(fmt::format("lb{}", number)), source(fmt::format("10.0.0.{}", number)) {
    host.add_interface(
        "eth0", {std::byte{2}, std::byte{}, std::byte{}, std::byte{}, std::byte{}, static_cast<std::byte>(number)});
    REQUIRE(host.add_address("eth0", prefix(source + "/24")));
    spec.name = "front";
    spec.router_id = 51;
    spec.interface = "eth0";
    spec.priority = static_cast<std::uint8_t>(200 - 50 * number);
    spec.advertise = 100ms;
    spec.peer_priorities = {static_cast<std::uint8_t>(50 + 50 * number)};
    spec.addresses = {prefix("10.0.0.100/24")};
    spec.signing =
        vrrp::Signing{.mode = vrrp::SigningMode::enforce, .keys = {{.id = 1, .secret = "sixteen characters"}}};
  }

  void on_transition(const vrrp::Transition& transition) override {
    log += fmt::format("{} ", to_string(transition.to));
    changed = transition.at;
  }
  void on_error(const std::string& /*router*/, const net::Error& /*error*/) override {}
  void on_notice(const std::string& /*router*/, const vrrp::Notice& notice) override { notices += notice.text + "\n"; }
  void on_peer_identity(const vrrp::Identity& other, const net::Address& /*from*/) override {
    identities.insert(other.node);
  }
  void on_stopped() override {}

  void start(bool knows_itself = true) {
    log.clear();
    notices.clear();
    identities.clear();
    auto wanted = vrrp::prepare(host, {spec}, {});
    REQUIRE(wanted);
    auto started = vrrp::Routers::start(loop, host, std::move(*wanted), *this, {});
    REQUIRE(started);
    routers = std::move(*started);
    if (knows_itself) routers->set_identity({.node = name, .version = "0", .files = {}});
  }
  void crash() { routers.reset(); }
  void set_clock(std::chrono::seconds by) { clock.set_wall(clock.wall() + by); }

  [[nodiscard]] vrrp::Status status() const { return routers->status().at(0); }
  [[nodiscard]] bool leads() const { return routers && status().state == vrrp::RouterState::master; }
  [[nodiscard]] bool follows() const { return routers && status().state == vrrp::RouterState::backup; }
  [[nodiscard]] std::uint64_t replays() const {
    return status().adverts.rejected[std::to_underlying(vrrp::RejectReason::replay)];
  }

  std::string name, source;
  net::VirtualClock clock;
  net::Loop loop = net::Loop::create(clock).value();
  net::MemoryHost host{clock};
  vrrp::Spec spec;
  std::string log;  ///< the states since it started
  net::Instant changed;
  std::string notices;
  std::set<std::string> identities;  ///< whom it knows
  std::unique_ptr<vrrp::Routers> routers;
};

struct SignedWorld {
  explicit SignedWorld(int size = 2) {
    for (int number = 1; number <= size; ++number) {
      auto& node = nodes.emplace_back(number);
      node.host.on_send = [this](const std::string& /*interface*/, const net::RawSocket::Packet& packet) {
        under_way.push_back({.at = now(),
                             .source = packet.source,
                             .destination = packet.destination,
                             .payload = {packet.payload.begin(), packet.payload.end()}});
      };
    }
  }

  [[nodiscard]] net::Instant now() const { return nodes.front().clock.now(); }

  void deliver(const Recorded& packet) {
    for (auto& node : nodes) {
      if (address(node.source) == packet.source) continue;
      node.host.deliver(
          "eth0", {.source = packet.source, .destination = packet.destination, .ttl = 255, .payload = packet.payload});
    }
  }

  void pass(net::Duration time) {
    for (const auto end = now() + time; now() < end;) {
      for (const auto& packet : std::exchange(under_way, {})) {
        deliver(packet);
        recorded.push_back(packet);
      }
      const auto then = now() + 1ms;
      for (auto& node : nodes) node.clock.advance_to(then);
      for (int turn = 0; turn < 3; ++turn) {
        for (auto& node : nodes) {
          if (node.routers) REQUIRE(node.loop.turn({}));
        }
      }
      for (auto& node : nodes) node.host.expire();
      const bool two = nodes.size() > 1 && nodes[0].leads() && nodes[1].leads();
      two_lead = two ? two_lead + 1ms : 0ms;
      longest_two = std::max(longest_two, two_lead);
    }
  }

  /// Adverts of a node that were on the link.
  [[nodiscard]] std::vector<Recorded> adverts_of(const SignedNode& node) const {
    std::vector<Recorded> adverts;
    for (const auto& packet : recorded) {
      if (packet.source == address(node.source) && packet.is_advert()) adverts.push_back(packet);
    }
    return adverts;
  }

  std::deque<SignedNode> nodes;
  std::vector<Recorded> under_way, recorded;
  net::Duration two_lead{}, longest_two{};  ///< how long the first two have both been masters
};

}  // namespace vrrp_test
