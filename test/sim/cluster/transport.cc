#include "test/sim/cluster/transport.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

namespace cluster_sim {

using namespace std::chrono_literals;

namespace {

constexpr Duration again = 200ms;          // until a lost segment is sent again
constexpr Duration connect_timeout = 1s;   // until an attempt is given up
constexpr std::size_t most_under_way = 4;  // a connection takes only so much at once

}  // namespace

/// One director's ends of connections.
class Transport final : public director::PeerTransport {
 public:
  Transport(Connections& all, Node& node, net::Loop& loop, Callbacks callbacks)
      : all_(all), node_(node), loop_(loop), callbacks_(std::move(callbacks)) {
    all_.transports_[node_.config.name] = this;
  }

  ~Transport() override {
    stop();
    all_.transports_.erase(node_.config.name);
  }
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  net::Result<> set(Settings settings) override {
    if (settings_ == settings) return {};
    if (settings_ && settings_->keys != settings.keys) stop();
    settings_ = std::move(settings);
    loop_.cancel(timer_);
    tick();
    return {};
  }

  void stop() override {
    loop_.cancel(std::exchange(timer_, 0));
    settings_.reset();
    while (!ends_.empty()) close(ends_.begin()->first, "stopped");
  }

  void pump() override {
    std::vector<Session> sessions;
    for (const auto& [session, end] : ends_) sessions.push_back(session);
    for (const auto session : sessions) pump(session);
  }

  void close(Session session, const std::string& why) override {
    const auto found = ends_.find(session);
    if (found == ends_.end()) return;
    const auto other = found->second.other;
    errors_[other] = why;
    ends_.erase(found);
    if (opened_.erase(session) > 0) callbacks_.on_closed(session);
    // The other hears of it, or finds that nobody is there any more.
    if (auto* peer = at(other); peer != nullptr && all_.passes(node_, peer->node_)) {
      peer->later(session, all_.world_.now() + 1ms, [peer, session] { peer->close(session, "closed by the other"); });
    }
  }

  [[nodiscard]] std::string error_of(const std::string& node) const override {
    const auto found = errors_.find(node);
    return found == errors_.end() ? "" : found->second;
  }
  [[nodiscard]] std::string listen_error() const override { return ""; }

 private:
  struct End {
    std::string other;
    bool dialed = false;
    net::Instant heard{};
    net::Instant last_arrival{};          ///< at the other end
    std::deque<std::string> under_way{};  ///< sent, and not yet arrived
  };

  [[nodiscard]] Transport* at(const std::string& node) const {
    const auto found = all_.transports_.find(node);
    return found == all_.transports_.end() ? nullptr : found->second;
  }

  /// In a turn of this director's own loop, if the end is still there then.
  void later(Session session, net::Instant due, std::function<void()> what) {
    if (ends_.contains(session)) {
      loop_.at(due, [this, session, alive = std::weak_ptr(alive_), what = std::move(what)] {
        if (!alive.expired() && ends_.contains(session)) what();
      });
    }
  }

  void tick() {
    timer_ = loop_.after(retry_interval, [this] { tick(); });
    const auto now = loop_.now();
    std::vector<Session> silent, all;
    for (const auto& [session, end] : ends_) (now - end.heard >= silence_max ? silent : all).push_back(session);
    for (const auto session : silent) close(session, "no answer any more");
    for (const auto session : all) {
      if (!ends_.contains(session)) continue;
      pump(session);
      if (ends_.contains(session)) send(session, callbacks_.next_text(session, true).value());
    }
    for (const auto& [other, target] : settings_->others) {
      const bool connected = std::ranges::any_of(ends_, [&](const auto& entry) { return entry.second.other == other; });
      if (settings_->node < other && !connected) dial(other);
    }
  }

  void dial(const std::string& other) {
    auto* peer = at(other);
    if (peer == nullptr || !peer->settings_) {
      errors_[other] = "connection refused";
      return;
    }
    if (!all_.passes(node_, peer->node_) || !peer->node_.runs() || peer->settings_->keys != settings_->keys) {
      loop_.after(connect_timeout, [this, other, alive = std::weak_ptr(alive_)] {
        if (!alive.expired()) errors_[other] = "no answer";
      });
      return;
    }
    const auto session = ++all_.last_;
    const auto opened = all_.world_.now() + 2ms;
    ends_[session] = {.other = other, .dialed = true, .heard = opened, .last_arrival = opened};
    peer->ends_[session] = {.other = node_.config.name, .heard = opened, .last_arrival = opened};
    for (auto* end : {this, peer}) {
      end->later(session, opened, [end, session] {
        end->callbacks_.on_open(session);
        end->opened_.insert(session);
        end->pump(session);
      });
    }
  }

  void pump(Session session) {
    while (opened_.contains(session) && ends_.contains(session) && ends_[session].under_way.size() < most_under_way) {
      const auto text = callbacks_.next_text(session, false);
      if (!text) return;
      send(session, *text);
    }
  }

  void send(Session session, const std::string& text) {
    if (!opened_.contains(session)) return;
    auto& end = ends_[session];
    end.under_way.push_back(text);
    end.last_arrival =
        std::max(end.last_arrival, all_.world_.now() + std::chrono::microseconds(100 + all_.world_.below(2000)));
    deliver(session, end.other, end.last_arrival);
  }

  /// The first that is under way, to the other end. While packets are lost it is sent again, and what was sent after it
  /// does not overtake it.
  void deliver(Session session, const std::string& other, net::Instant due) {
    auto* peer = at(other);
    if (peer == nullptr) return;
    peer->later(session, due, [this, peer, session, other, alive = std::weak_ptr(alive_)] {
      if (alive.expired() || !ends_.contains(session)) return;
      if (!all_.passes(node_, peer->node_)) return deliver(session, other, all_.world_.now() + again);
      auto& under_way = ends_[session].under_way;
      const auto text = std::move(under_way.front());
      under_way.pop_front();
      peer->hear(session, is_lost(text) ? "{}" : text);
      if (!alive.expired()) {
        later(session, all_.world_.now() + 1ms, [this, session] { pump(session); });
      }
    });
  }

  [[nodiscard]] bool is_lost(const std::string& text) const {
    const auto mutation = all_.world_.mutation();
    return (mutation == Mutation::shares_nothing && text.contains("\"orders\"")) ||
           (mutation == Mutation::reports_nothing && text.contains("\"services\""));
  }

  void hear(Session session, const std::string& text) {
    auto& end = ends_[session];
    end.heard = loop_.now();
    if (const auto taken = callbacks_.on_text(session, end.dialed ? end.other : "", text); !taken)
      return close(session, taken.error().message);
    pump(session);
  }

  Connections& all_;
  Node& node_;
  net::Loop& loop_;
  Callbacks callbacks_;
  std::optional<Settings> settings_;
  std::map<Session, End> ends_;
  std::set<Session> opened_;  ///< its owner was told
  std::map<std::string, std::string> errors_;
  net::Loop::Id timer_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

director::MakeTransport Connections::make_transport(Node& node) {
  return [this, &node](net::Loop& loop, director::PeerTransport::Callbacks callbacks) {
    return std::make_unique<Transport>(*this, node, loop, std::move(callbacks));
  };
}

bool Connections::passes(const Node& a, const Node& b) const {
  return a.carrier.at(front) && b.carrier.at(front) && world_.passes(a, b, front) && world_.passes(b, a, front);
}

}  // namespace cluster_sim
