#include "director/engine/connection_sync.h"

#include <algorithm>
#include <utility>

#include "net/check.h"

namespace director {
namespace {

constexpr auto retry_delay = std::chrono::seconds(1);

/// Notes whether the daemons are directord's own.
void note_own(StateStore& store, bool own) {
  store.update([own](PersistentState& state) { return std::exchange(state.sync, own) != own; });
}

}  // namespace

void ConnectionSync::set(const std::optional<config::ConnectionSync>& wanted, const std::string& node) {
  wanted_ = wanted;
  node_ = node;
  adjust();
}

void ConnectionSync::adjust() {
  loop_.cancel(std::exchange(retry_timer_, 0));
  net::Result<> done;
  if (wanted_) done = start();
  if (!wanted_ && store_.state().sync) done = stop();
  const std::string problem = done ? "" : done.error().message;
  if (std::exchange(problem_, problem) != problem && !problem.empty()) log_.add(events::sync_error(problem));
  if (!done) retry_timer_ = loop_.after(retry_delay, [this] { adjust(); });
}

net::Result<> ConnectionSync::start() {
  const auto running = kernel_.daemons();
  if (!running) return std::unexpected(running.error());
  note_own(store_, true);
  for (const auto state : {ipvs::Daemon::State::master, ipvs::Daemon::State::backup}) {
    ipvs::Daemon daemon;
    daemon.state = state;
    daemon.interface = net::must_find(wanted_->interfaces, node_, "connection sync has an interface for each node");
    daemon.sync_id = wanted_->id;
    const auto found = std::ranges::find(*running, state, &ipvs::Daemon::state);
    if (found != running->end()) {
      if (found->interface == daemon.interface && found->sync_id == daemon.sync_id) continue;
      if (auto stopped = kernel_.apply_one(ipvs::StopDaemon{.state = state}); !stopped) return stopped;
    }
    if (auto started = kernel_.apply_one(ipvs::StartDaemon{.daemon = daemon}); !started) return started;
  }
  return {};
}

net::Result<> ConnectionSync::stop() {
  const auto running = kernel_.daemons();
  if (!running) return std::unexpected(running.error());
  for (const auto& daemon : *running) {
    if (auto stopped = kernel_.apply_one(ipvs::StopDaemon{.state = daemon.state}); !stopped) return stopped;
  }
  note_own(store_, false);
  return {};
}

}  // namespace director
