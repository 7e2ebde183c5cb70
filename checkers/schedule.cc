#include "checkers/schedule.h"

#include <algorithm>
#include <functional>
#include <string_view>

#include "net/check.h"

namespace checkers {
namespace {

/// Ticks lie on a grid: those that fall together cost one wake-up of the processor, which is dearer than a probe.
net::Duration grain(net::Duration interval) {
  using namespace std::chrono_literals;
  return std::clamp<net::Duration>(interval / 100, 1ms, 10ms);
}

}  // namespace

net::Instant next_tick(std::uint64_t hash, net::Duration interval, net::Instant now) {
  const auto length = interval.count();
  const auto drawn = static_cast<net::Duration::rep>(hash % static_cast<std::uint64_t>(length));
  const auto phase = drawn - drawn % grain(interval).count();
  const auto past =
      (now.time_since_epoch().count() - phase) % length;  // since the last tick; negative before the first
  return now + net::Duration(past < 0 ? -past : length - past);
}

std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  // Targets differ in few characters; without this their low bits would too.
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
  return hash ^ (hash >> 33);
}

void Schedule::add(Id id, std::uint64_t hash, net::Duration interval, net::Instant now) {
  net::check(interval > net::Duration::zero(), "the interval of a check is above zero");
  if (id >= entries_.size()) entries_.resize(id + 1);
  auto& entry = entries_[id];
  net::check(!entry.present, "an id is scheduled once");
  entry = {
      .hash = hash, .interval = interval, .due = now, .generation = entry.generation, .present = true, .busy = false};
  const auto window = std::min(interval, warm_up).count();
  place(id, now + net::Duration(static_cast<net::Duration::rep>(hash % static_cast<std::uint64_t>(window))));
}

void Schedule::remove(Id id) {
  if (id >= entries_.size()) return;
  auto& entry = entries_[id];
  entry.present = false;
  entry.busy = false;
  ++entry.generation;
}

void Schedule::set_interval(Id id, net::Duration interval, net::Instant now) {
  net::check(interval > net::Duration::zero(), "the interval of a check is above zero");
  net::check(id < entries_.size(), "an id was scheduled before its interval changes");
  auto& entry = entries_[id];
  if (!entry.present || entry.interval == interval) return;
  entry.interval = interval;
  if (const auto tick = next_tick(entry.hash, interval, now); tick < entry.due) place(id, tick);
}

void Schedule::run_now(Id id, net::Instant now) {
  if (id < entries_.size() && entries_[id].present && entries_[id].due > now) place(id, now);
}

std::optional<net::Instant> Schedule::next_due() {
  drop_stale();
  if (heap_.empty()) return std::nullopt;
  return heap_.front().due;
}

std::optional<Schedule::Start> Schedule::take(net::Instant now) {
  for (drop_stale(); !heap_.empty() && heap_.front().due <= now; drop_stale()) {
    const auto [due, id, generation] = heap_.front();
    std::ranges::pop_heap(heap_, std::greater{});
    heap_.pop_back();
    auto& entry = entries_[id];
    place(id, next_tick(entry.hash, entry.interval, now));
    if (entry.busy) continue;
    entry.busy = true;
    return Start{.id = id, .due = due};
  }
  return std::nullopt;
}

void Schedule::done(Id id) {
  if (id < entries_.size()) entries_[id].busy = false;
}

void Schedule::place(Id id, net::Instant due) {
  auto& entry = entries_[id];
  entry.due = due;
  heap_.push_back({.due = due, .id = id, .generation = ++entry.generation});
  std::ranges::push_heap(heap_, std::greater{});
}

void Schedule::drop_stale() {
  while (!heap_.empty()) {
    const auto& first = heap_.front();
    if (entries_[first.id].generation == first.generation) return;
    std::ranges::pop_heap(heap_, std::greater{});
    heap_.pop_back();
  }
}

}  // namespace checkers
