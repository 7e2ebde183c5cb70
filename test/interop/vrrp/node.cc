#include "test/interop/vrrp/node.h"

#include <fmt/format.h>

#include <stdexcept>

using namespace std::chrono_literals;

Node::Node(const lab::Host& on, std::vector<vrrp::Spec> all, std::vector<std::vector<std::string>> in_groups)
    : host(on), specs(std::move(all)), groups(std::move(in_groups)), loop_(net::Loop::create().value()) {}

void Node::start() {
  turn();  // the loop's clock has stood still since its last turn
  const lab::Within within(host.network);
  auto wanted = vrrp::prepare(real_, specs, groups);
  if (!wanted) throw std::runtime_error(wanted.error().message);
  auto routers = vrrp::Routers::start(loop_, real_, std::move(*wanted), *this, {.inhibit_reason = inhibit_reason});
  if (!routers) throw std::runtime_error(routers.error().message);
  routers_ = std::move(*routers);
}

void Node::on_transition(const vrrp::Transition& transition) {
  log += fmt::format("{} {} {} -> {}: {}\n", host.name, transition.router, to_string(transition.from),
                     to_string(transition.to), transition.reason);
}

void Node::on_error(const std::string& router, const net::Error& error) {
  errors += fmt::format("{} {}: {}\n", host.name, router, error.message);
}

void Node::on_notice(const std::string& router, const vrrp::Notice& notice) {
  notices += fmt::format("{} {}: {}\n", host.name, router, notice.text);
}

void Node::update() {
  turn();
  const lab::Within within(host.network);
  auto wanted = vrrp::prepare(real_, specs, groups);
  if (!wanted) throw std::runtime_error(wanted.error().message);
  routers_->update(std::move(*wanted));
}

void Node::turn() {
  const lab::Within within(host.network);  // a socket may be opened at any time
  static_cast<void>(loop_.turn({}));
}

int Node::turns_in(net::Duration time) {
  const lab::Within within(host.network);
  const auto end = net::monotonic_now() + time;
  int turns = 0;
  for (auto left = time; left > net::Duration::zero(); left = end - net::monotonic_now(), ++turns) {
    static_cast<void>(loop_.turn(left));
  }
  return turns;
}

void Node::stop() {
  routers_->stop();
  routers_.reset();
}

vrrp::Spec spec(std::string name, std::uint8_t router_id, std::uint8_t priority, const std::string& address) {
  return {.name = std::move(name),
          .router_id = router_id,
          .interface = "eth0",
          .addresses = {lab::prefix(address)},
          .priority = priority,
          .advertise = 100ms};
}
