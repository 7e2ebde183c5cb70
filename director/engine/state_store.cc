#include "director/engine/state_store.h"

#include <fmt/format.h>

#include <utility>

namespace director {
namespace {

/// Less is what two clocks drift apart by themselves in a while.
constexpr auto clock_step = std::chrono::seconds(1);

/// From here on the step is logged.
constexpr auto clock_jump = std::chrono::seconds(10);

constexpr auto retry_delay = std::chrono::seconds(1);
constexpr auto restart_warning = "; a restart would lose the latest drains and weights";

}  // namespace

StateStore::~StateStore() {
  loop_.cancel(late_timer_);
  loop_.cancel(retry_timer_);
  loop_.cancel(clock_timer_);
  for (const auto& waiting : waiting_) loop_.cancel(waiting.timer);
}

void StateStore::open(std::unique_ptr<StateDisk> disk) {
  disk_ = std::move(disk);
  auto found = disk_->load();
  if (found) {
    state_ = std::move(*found);
    clamp_future_times(state_, clock_.now());
    // An earlier process may have died before the disk had what it wrote.
    update([](const PersistentState& state) { return state != PersistentState{}; });
    return;
  }
  const auto aside = disk_->put_aside();
  damaged_ =
      fmt::format("{}; started without it{}", found.error().message, aside.empty() ? "" : ", renamed to " + aside);
  log_.add(events::state_error(damaged_));
}

void StateStore::follow_clock(std::function<void(net::WallTime::duration by)> moved) {
  clock_moved_ = std::move(moved);
  clock_timer_ = loop_.after(clock_step, [this] { check_clock(); });
}

void StateStore::check_clock() {
  clock_timer_ = loop_.after(clock_step, [this] { check_clock(); });
  const auto step = clock_.follow(clock_step);
  if (!step) return;
  if (abs(*step) >= clock_jump) log_.add(events::clock_set(*step));
  update([&](PersistentState& state) { return move_times(state, *step); });
  clock_moved_(*step);
}

void StateStore::update(const std::function<bool(PersistentState&)>& change) {
  if (!change(state_)) return;
  ++updates_;
  if (disk_) return write();
  saved_ = updates_;
}

// Patience begins now, and not when this turn of the loop did: a start may take long.
void StateStore::when_durable(Done done) {
  if (saved_ == updates_) return done("");
  if (!unsaved_.empty()) return done(unsaved_);
  const auto timer = loop_.at(loop_.clock().now() + durable_timeout, [this] { fail(too_slow()); });
  waiting_.push_back({.update = updates_, .done = std::move(done), .timer = timer});
}

/// What is changed meanwhile is written after it.
void StateStore::write() {
  loop_.cancel(std::exchange(retry_timer_, 0));
  if (disk_->busy()) return;
  late_timer_ = loop_.at(loop_.clock().now() + durable_timeout, [this] { fail(too_slow()); });
  disk_->write(state_, [this, update = updates_](const net::Result<>& saved) { written(update, saved); });
}

void StateStore::written(std::uint64_t update, const net::Result<>& saved) {
  loop_.cancel(std::exchange(late_timer_, 0));
  if (!saved) {
    fail(saved.error().message + restart_warning);
    retry_timer_ = loop_.after(retry_delay, [this] { write(); });
    return;
  }
  saved_ = update;
  notify(saved_, "");
  if (saved_ != updates_) return write();
  if (!std::exchange(unsaved_, "").empty()) log_.add(events::state_saved());
}

std::string StateStore::too_slow() const {
  return fmt::format("write {}: the disk does not answer{}", disk_->name(), restart_warning);
}

void StateStore::fail(const std::string& why) {
  if (std::exchange(unsaved_, why) != why) log_.add(events::state_error(why));
  notify(updates_, why);
}

void StateStore::notify(std::uint64_t update, const std::string& why_not) {
  while (!waiting_.empty() && waiting_.front().update <= update) {
    auto waiting = std::move(waiting_.front());
    waiting_.pop_front();
    loop_.cancel(waiting.timer);
    waiting.done(why_not);
  }
}

}  // namespace director
