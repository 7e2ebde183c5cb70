// What passes between the nodes of a cluster: packets, on links that can be cut.

#include <fmt/format.h>

#include <algorithm>

#include "test/sim/cluster/world.h"
#include "vrrp/advert.h"
#include "vrrp/link.h"

namespace cluster_sim {

using namespace std::chrono_literals;

void World::set_carrier(Node& node, const std::string& interface, bool carrier) {
  say(fmt::format("link {} of {} {}", interface, node.config.name, carrier ? "up" : "down"));
  node.carrier[interface] = carrier;
  node.host.set_carrier(interface, carrier);
  node.able_from = now_;
}

void World::cut(const Node& from, const Node& to, const std::string& interface, bool is_cut) {
  const Way way{from.place, to.place};
  if (is_cut == cuts_[interface].contains(way)) return;
  say(fmt::format("{}: packets of {} {} {}", interface, from.config.name, is_cut ? "no longer reach" : "reach",
                  to.config.name));
  if (is_cut) {
    cuts_[interface].insert(way);
  } else {
    cuts_[interface].erase(way);
    mended_[way] = now_;
  }
}

void World::carry(const Node& from, const std::string& interface, const net::RawSocket::Packet& packet) {
  check_advert(from, packet.payload);
  for (const Node& to : nodes_) {
    const Way way{from.place, to.place};
    if (mutation_ == Mutation::hears_nothing || &to == &from || cuts_[interface].contains(way)) continue;
    // What one node sends to another arrives in its order.
    auto& arrival = last_arrival_[way];
    const auto slow = mutation_ == Mutation::hears_slowly ? Duration(5s) : Duration::zero();
    arrival = std::max(arrival, now_ + slow + std::chrono::microseconds(100 + below(2000)));
    send_to(to, {.at = arrival,
                 .interface = interface,
                 .source = packet.source,
                 .destination = packet.destination,
                 .ttl = packet.ttl,
                 .bytes = {packet.payload.begin(), packet.payload.end()}});
  }
}

void World::send_to(const Node& to, Packet packet) {
  packet.order = ++order_;
  packet.to = to.place;
  packets_.push_back(std::move(packet));
  std::ranges::push_heap(packets_, std::greater{});
}

void World::set_stranger(bool speaks) {
  say(fmt::format("a stranger on {} {}", front, speaks ? "speaks" : "is silent"));
  stranger_since_ = speaks ? std::optional(now_) : std::nullopt;
  stranger_next_ = now_;
}

/// As often as a master.
void World::let_stranger_speak() {
  const auto& router = file_.virtual_routers.front();
  stranger_next_ = now_ + router.advertise;
  const vrrp::Path path{.source = net::Address::parse("192.168.56.99").value(),
                        .destination = vrrp::multicast_group(net::Family::ipv4)};
  const bool believed = mutation_ == Mutation::believes_strangers;
  const auto listed =
      believed ? router.addresses.front().prefix.address : net::Address::parse("192.168.56.200").value();
  auto bytes = vrrp::encode({.router_id = router.router_id,
                             .priority = 254,
                             .max_advertise_interval = router.advertise,
                             .addresses = {listed}},
                            path, vrrp::Checksum::rfc5798);
  if (!believed && below(2) == 0) {
    for (std::size_t at = 0; at < bytes.size(); at += 1 + below(4)) {
      if (at != 1) bytes[at] = static_cast<std::byte>(below(256));  // still of our VRID
    }
  }
  for (const Node& to : nodes_) {
    send_to(to, {.at = now_ + std::chrono::microseconds(100 + below(2000)),
                 .interface = front,
                 .source = path.source,
                 .destination = path.destination,
                 .ttl = 255,
                 .bytes = bytes});
  }
}

bool World::passes(const Node& from, const Node& to, const std::string& interface) const {
  const auto cuts = cuts_.find(interface);
  return cuts == cuts_.end() || !cuts->second.contains({from.place, to.place});
}

void World::pass_to(Instant then) {
  now_ = then;
  for (auto& node : nodes_) {
    node.clock.advance_to(then);
    node.host.expire();
  }
  while (!packets_.empty() && packets_.front().at <= now_) {
    std::ranges::pop_heap(packets_, std::greater{});
    const Packet packet = std::move(packets_.back());
    packets_.pop_back();
    Node& to = nodes_[packet.to];
    if (!to.carrier.at(packet.interface)) continue;
    to.host.deliver(
        packet.interface,
        {.source = packet.source, .destination = packet.destination, .ttl = packet.ttl, .payload = packet.bytes});
  }
}

std::optional<Instant> World::hear_each_other_since(const Node& a, const Node& b) const {
  Instant since{};
  for (const Way& way : {Way{a.place, b.place}, Way{b.place, a.place}}) {
    for (const auto& [interface, ways] : cuts_) {
      if (ways.contains(way)) return std::nullopt;
    }
    if (const auto mended = mended_.find(way); mended != mended_.end()) since = std::max(since, mended->second);
  }
  for (const Node* node : {&a, &b}) {
    if (!node->connected()) return std::nullopt;
    since = std::max(since, node->able_from);
  }
  return since;
}

}  // namespace cluster_sim
