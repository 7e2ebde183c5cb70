#include "director/engine/order_sharing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "director/orders/order_message.h"
#include "net/time.h"

namespace director {
namespace {

std::string seconds_since(net::Instant then, net::Instant now) {
  return net::to_string(std::chrono::floor<std::chrono::seconds>(now - then));
}

}  // namespace

OrderSharing::OrderSharing(net::Loop& loop, const ClusterInForce& in_force, EventLog& log, OperatorOverrides& overrides,
                           ClusterReports& reports, const MakeTransport& make_transport)
    : loop_(loop),
      in_force_(in_force),
      log_(log),
      overrides_(overrides),
      reports_(reports),
      transport_(make_transport ? make_transport(loop, callbacks()) : nullptr) {}

OrderSharing::~OrderSharing() {
  for (const auto& waiting : waiting_) loop_.cancel(waiting.timer);
  waiting_.clear();  // whoever waits may be gone when the connections end
  transport_.reset();
  loop_.cancel(timer_);
}

void OrderSharing::set(const std::vector<vrrp::Key>& keys) {
  if (transport_ == nullptr) return;
  if (keys.empty()) return stop();
  const auto& cluster = in_force_.cluster();
  const auto& self = in_force_.node();
  PeerTransport::Settings settings{.node = self.name, .own = {.address = self.address, .port = cluster.peers.port}};
  for (const auto& node : cluster.nodes) {
    if (node.name != self.name) settings.others[node.name] = {.address = node.address, .port = cluster.peers.port};
  }
  for (const auto& [id, secret] : keys) settings.keys.push_back({.id = id, .secret = secret});
  const auto done = transport_->set(std::move(settings));
  error_ = done ? "" : done.error().message;
  if (!std::exchange(on_, true)) on_since_ = loop_.now();
  reports_.set_on(true);
  std::erase_if(told_, [&](const auto& entry) { return config::find_node(cluster, entry.first) == nullptr; });
  loop_.cancel(timer_);
  check_reachable();
}

void OrderSharing::stop() {
  error_.clear();
  if (!std::exchange(on_, false)) return;
  transport_->stop();
  reports_.set_on(false);
  told_.clear();
  loop_.cancel(std::exchange(timer_, 0));
  tell_waiting();
}

PeerTransport::Callbacks OrderSharing::callbacks() {
  return {.on_open =
              [this](auto session) {
                overrides_.open_session(session);
                reports_.open(session);
              },
          .on_text = [this](auto session, const std::string& node,
                            const std::string& text) { return receive(session, node, text); },
          .on_closed =
              [this](auto session) {
                overrides_.close_session(session);
                reports_.close(session);
                tell_waiting();
              },
          .next_text = [this](auto session, bool ping) { return next_text(session, ping); }};
}

/// Orders go first, and reports in messages of their own.
std::optional<std::string> OrderSharing::next_text(PeerTransport::Session session, bool ping) {
  auto message = overrides_.next_message(session);
  if (!message) {
    if (auto reports = reports_.next(session)) message = OrderMessage{.reports = *std::move(reports)};
  }
  if (!message && !ping) return std::nullopt;
  return encode(message.value_or(OrderMessage{}), overrides_.now());
}

net::Result<> OrderSharing::receive(PeerTransport::Session session, const std::string& node, const std::string& text) {
  auto message = decode_order_message(text, overrides_.now());
  if (!message) return std::unexpected(message.error());
  if (!node.empty() && message->hello && message->hello->node != node)
    return net::failure(fmt::format("at the address of {} is {}", node, message->hello->node));
  auto reports = std::move(message->reports);
  const auto received = overrides_.receive(session, *std::move(message));
  if (!received) return std::unexpected(received.error());
  if (const auto* other = overrides_.exchange().node_of(session)) {
    if (auto taken = reports_.receive(session, *other, std::move(reports)); !taken) return taken;
  }
  for (const auto outdated : received->outdated) transport_->close(outdated, "there is a newer connection");
  if (received->connected) note_connected(*overrides_.exchange().node_of(session));
  if (received->synced) synced_ = true;
  tell_waiting();
  if (received->book_changed) transport_->pump();
  return {};
}

void OrderSharing::pump() {
  if (on_) transport_->pump();
}

std::string OrderSharing::not_ready() const {
  if (!on_ || synced_) return "";
  const auto& self = in_force_.node().name;
  for (const auto& [node, peer] : overrides_.exchange().peers()) {
    const bool connects_to_us = node < self;
    const bool is_given_up =
        connects_to_us ? loop_.now() - on_since_ >= first_contact : !transport_->error_of(node).empty();
    if (peer.session || !is_given_up) return fmt::format("the orders that {} has are not known yet", node);
  }
  return "";
}

void OrderSharing::when_held(Done done) {
  const auto& book = overrides_.orders();
  const auto& self = in_force_.node().name;
  const auto known = book.known.find(overrides_.process());
  if (overrides_.exchange().peers().empty() || known == book.known.end()) return done("");
  const OrderVersion version{.counter = known->second, .node = self, .process = overrides_.process()};
  pump();
  const auto timer = loop_.at(loop_.clock().now() + answer_timeout, [this] { answer_first(); });
  waiting_.push_back({.version = version, .done = std::move(done), .timer = timer});
  tell_waiting();
}

/// Who waits for what all that are connected have.
void OrderSharing::tell_waiting() {
  while (!waiting_.empty()) {
    const auto& version = waiting_.front().version;
    const bool is_held = std::ranges::all_of(overrides_.exchange().peers(), [&](const auto& entry) {
      return !entry.second.session || covers(entry.second.holds.held, version);
    });
    if (!is_held && on_) return;
    answer_first();
  }
}

void OrderSharing::answer_first() {
  auto waiting = std::move(waiting_.front());
  waiting_.pop_front();
  loop_.cancel(waiting.timer);
  waiting.done(held_by(waiting.version));
}

std::string OrderSharing::held_by(const OrderVersion& version) const {
  const auto& peers = overrides_.exchange().peers();
  if (peers.empty()) return "";
  if (!on_) return "held here only";
  std::vector<std::string> holders{in_force_.node().name}, others;
  for (const auto& [node, peer] : peers) {
    if (covers(peer.holds.held, version)) {
      holders.push_back(node);
    } else if (peer.session) {
      others.push_back(fmt::format("{} does not have it yet", node));
    } else {
      others.push_back(
          fmt::format("{} not reached for {}", node, seconds_since(peer.lost.value_or(on_since_), loop_.now())));
    }
  }
  std::ranges::sort(holders);
  return fmt::format("held by {}{}{}", fmt::join(holders, ", "), others.empty() ? "" : "; ", fmt::join(others, "; "));
}

bool OrderSharing::is_held_everywhere(const OrderVersion& version) const {
  return std::ranges::all_of(overrides_.exchange().peers(),
                             [&](const auto& entry) { return covers(entry.second.holds.held, version); });
}

void OrderSharing::note_connected(const std::string& node) {
  if (told_.erase(node) > 0) log_.add(events::peer_reached(node));
}

/// Each second.
void OrderSharing::check_reachable() {
  timer_ = loop_.after(std::chrono::seconds(1), [this] { check_reachable(); });
  for (const auto& [node, peer] : overrides_.exchange().peers()) {
    if (peer.session || loop_.now() - peer.lost.value_or(on_since_) < unreachable_grace) continue;
    const auto why = why_unreachable(node, peer);
    if (told_.try_emplace(node, why).second) log_.add(events::peer_unreachable(node, why));
  }
}

std::string OrderSharing::why_unreachable(const std::string& node, const OrderExchange::Peer& peer) const {
  const auto since = seconds_since(peer.lost.value_or(on_since_), loop_.now());
  const auto error = error_.empty() ? transport_->error_of(node) : error_;
  if (!error.empty()) return fmt::format("no connection for {}: {}", since, error);
  const auto here = transport_->listen_error();
  return fmt::format("no connection for {}: {}", since, here.empty() ? "it does not connect to this node" : here);
}

std::vector<Problem> OrderSharing::problems() const {
  std::vector<Problem> all;
  if (!on_) return all;
  for (const auto& [node, why] : told_) {
    const auto peer = overrides_.exchange().peers().find(node);
    if (peer == overrides_.exchange().peers().end()) continue;
    all.push_back({EventKind::peer_unreachable, "node " + node,
                   fmt::format("node {}: {}; it does not get orders that are given here", node,
                               why_unreachable(node, peer->second))});
  }
  return all;
}

nlohmann::ordered_json OrderSharing::status(const std::string& node) const {
  const auto peer = overrides_.exchange().peers().find(node);
  if (!on_ || peer == overrides_.exchange().peers().end()) return {{"state", "off"}};
  if (peer->second.session) return {{"state", "connected"}};
  return {{"state", "not connected"}, {"reason", why_unreachable(node, peer->second)}};
}

}  // namespace director
