#include "test/sim/cluster/servers.h"

#include <utility>

namespace cluster_sim {

namespace {

constexpr auto way = std::chrono::milliseconds(1);  // there and back

/// One probe: what its server does is seen when the probe has arrived.
class SimulatedRun final : public checkers::ProbeRun {
 public:
  SimulatedRun(net::Loop& loop, std::string doing, std::function<std::optional<checkers::Result>()> look,
               OnDone on_done)
      : loop_(loop), doing_(std::move(doing)), look_(std::move(look)), on_done_(std::move(on_done)) {
    timer_ = loop_.after(way, [this] {
      timer_ = 0;
      auto result = look_();
      if (!result) return;  // it hangs until its deadline
      auto done = std::move(on_done_);
      done(std::move(*result));  // which may destroy this
    });
  }
  ~SimulatedRun() override { loop_.cancel(timer_); }
  SimulatedRun(const SimulatedRun&) = delete;
  SimulatedRun& operator=(const SimulatedRun&) = delete;

  [[nodiscard]] std::string doing() const override { return doing_; }

 private:
  net::Loop& loop_;
  std::string doing_;
  std::function<std::optional<checkers::Result>()> look_;
  OnDone on_done_;
  net::Loop::Id timer_ = 0;
};

class SimulatedProber final : public checkers::Prober {
 public:
  SimulatedProber(const Servers& servers, Mutation mutation, std::function<bool(const net::Endpoint&)> reaches)
      : servers_(servers), mutation_(mutation), reaches_(std::move(reaches)) {}

  [[nodiscard]] checkers::StartedProbe start(net::Loop& loop, const net::Endpoint& target, std::uint32_t,
                                             checkers::ProbeRun::OnDone on_done) const override {
    const auto doing = "ask " + net::to_string(target);
    const auto look = [this, &loop, target, doing]() -> std::optional<checkers::Result> {
      if (mutation_ == Mutation::believes_all) return checkers::passed(doing, "answers");
      if (mutation_ == Mutation::believes_none) return checkers::failed(doing, "refused");
      if (!reaches_(target) || mutation_ == Mutation::waits_for_ever) return std::nullopt;
      switch (found(target, loop.now())) {
        case Behaviour::well:
          return checkers::passed(doing, "answers");
        case Behaviour::refuses:
          return checkers::failed(doing, "refused");
        case Behaviour::hangs:
          break;
      }
      return std::nullopt;
    };
    return std::make_unique<SimulatedRun>(loop, doing, look, std::move(on_done));
  }

 private:
  [[nodiscard]] Behaviour found(const net::Endpoint& target, net::Instant now) const {
    const auto behaviour = servers_.of(target);
    if (mutation_ != Mutation::hears_late || now - servers_.since(target) > std::chrono::seconds(15)) return behaviour;
    return behaviour == Behaviour::well ? Behaviour::refuses : Behaviour::well;  // as it was before
  }

  const Servers& servers_;
  Mutation mutation_;
  std::function<bool(const net::Endpoint&)> reaches_;
};

}  // namespace

std::string to_string(Behaviour behaviour) {
  return behaviour == Behaviour::well ? "is well" : behaviour == Behaviour::refuses ? "refuses" : "hangs";
}

void Servers::set(const net::Endpoint& server, Behaviour behaviour, net::Instant now) {
  auto& state = states_[server];
  if (state.behaviour == behaviour) return;
  state = {.behaviour = behaviour, .since = now, .died = behaviour == Behaviour::refuses ? now : state.died};
}

bool Servers::died_since(const net::Endpoint& server, net::Instant then) const {
  const auto found = states_.find(server);
  return found != states_.end() && found->second.died >= then;
}

Behaviour Servers::of(const net::Endpoint& server) const {
  const auto found = states_.find(server);
  return found == states_.end() ? Behaviour::well : found->second.behaviour;
}

net::Instant Servers::since(const net::Endpoint& server) const {
  const auto found = states_.find(server);
  return found == states_.end() ? net::Instant() : found->second.since;
}

checkers::MakeProber Servers::probers(Mutation mutation, std::function<bool(const net::Endpoint&)> reaches) const {
  return [this, mutation, reaches = std::move(reaches)](const checkers::Spec&) {
    return std::make_unique<SimulatedProber>(*this, mutation, reaches);
  };
}

}  // namespace cluster_sim
