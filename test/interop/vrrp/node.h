#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/kernel_host.h"
#include "net/loop.h"
#include "test/lab/process.h"
#include "test/lab/topology.h"
#include "vrrp/routers.h"

/// Virtual routers of ours on a host of the lab, driven by the test's own thread.
class Node : private vrrp::Listener {
 public:
  Node(const lab::Host& host, std::vector<vrrp::Spec> specs, std::vector<std::vector<std::string>> groups = {});

  void start();
  void stop();
  void begin_to_stop() { routers_->stop(); }
  void update();                      ///< to `specs` and `groups` as they are now
  void crash() { routers_.reset(); }  ///< as SIGKILL does: sockets are closed, nothing is said

  void turn();
  /// How often its loop wakes up within `time`, when it is left alone.
  int turns_in(net::Duration time);

  [[nodiscard]] vrrp::RouterState state(std::size_t router = 0) const { return status(router).state; }
  [[nodiscard]] bool is_master(std::size_t router = 0) const {
    return routers_ && state(router) == vrrp::RouterState::master;
  }
  [[nodiscard]] vrrp::Routers& routers() { return *routers_; }
  [[nodiscard]] vrrp::Status status(std::size_t router = 0) const { return routers_->status().at(router); }

  const lab::Host& host;
  std::vector<vrrp::Spec> specs;
  std::vector<std::vector<std::string>> groups;
  std::string log;     ///< transitions, a line each
  std::string errors;  ///< what was told of as failing
  std::string notices;
  std::map<std::string, vrrp::Identity> peer_identities;  ///< who made itself known, by the address that it spoke from
  std::string inhibit_reason;                             ///< why it may not become master when it starts

 private:
  void on_transition(const vrrp::Transition& transition) override;
  void on_error(const std::string& router, const net::Error& error) override;
  void on_notice(const std::string& router, const vrrp::Notice& notice) override;
  void on_peer_identity(const vrrp::Identity& other, const net::Address& from) override {
    peer_identities[to_string(from)] = other;
  }
  void on_stopped() override {}

  net::Loop loop_;
  net::KernelHost real_;
  std::unique_ptr<vrrp::Routers> routers_;
};

/// Turns all nodes' loops until `holds`, or until `limit`: how long it took, or nothing.
template <class Condition>
std::optional<net::Duration> pump(std::initializer_list<Node*> nodes, Condition holds, net::Duration limit) {
  return lab::wait_until(
      [&] {
        for (Node* node : nodes) node->turn();
        return holds();
      },
      limit);
}
inline void pump_for(std::initializer_list<Node*> nodes, net::Duration time) {
  pump(nodes, [] { return false; }, time);
}

/// A spec with 100 ms adverts on eth0.
vrrp::Spec spec(std::string name, std::uint8_t router_id, std::uint8_t priority, const std::string& address);
