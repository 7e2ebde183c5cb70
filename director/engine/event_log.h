#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "director/engine/event.h"
#include "net/clock.h"
#include "net/utf8.h"

namespace director {

/// The events since the start of this process: numbers each event, gives it its time, makes its texts printable, which
/// others may have written, keeps the last ones and hands each to the sinks, in their order: the log, and whoever else
/// wants to know.
class EventLog {
 public:
  static constexpr std::size_t capacity = 1000;

  /// Must not add an event.
  using Sink = std::move_only_function<void(const Event&)>;

  /// `clock` must outlive this.
  EventLog(const net::Clock& clock, std::vector<Sink> sinks) : clock_(clock), sinks_(std::move(sinks)) {}

  void add(Event event) {
    event.number = ++last_;
    event.at = clock_.wall();
    for (auto* text : {&event.subject, &event.from, &event.to, &event.reason, &event.text})
      *text = net::printable(*text);
    if (events_.size() == capacity) events_.pop_front();
    const Event& kept = events_.emplace_back(std::move(event));
    for (auto& sink : sinks_) sink(kept);
  }

  /// Oldest first.
  [[nodiscard]] const std::deque<Event>& events() const { return events_; }

 private:
  const net::Clock& clock_;
  std::vector<Sink> sinks_;
  std::deque<Event> events_;
  std::uint64_t last_ = 0;
};

}  // namespace director
