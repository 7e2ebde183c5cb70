#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>

#include "director/engine/event_types.h"

namespace director {

/// Something that changed: what, since when, why. One line in the log and one entry in the journal each.
struct Event {
  EventKind kind = EventKind::stopped;
  std::uint64_t number = 0;  ///< counts from 1 over the daemon's life, without gaps
  std::chrono::system_clock::time_point at;
  std::string subject;  ///< "server web/web1", "vrrp front", "ipvs", "directord"
  std::string text;     ///< "up -> down: connect 10.0.0.7:80: timed out after 1 s"
};

/// The last events in memory, oldest first.
class Journal {
 public:
  static constexpr std::size_t capacity = 1000;

  const Event& add(EventKind kind, std::string subject, std::string text, std::chrono::system_clock::time_point at) {
    if (events_.size() == capacity) events_.pop_front();
    return events_.emplace_back(
        Event{.kind = kind, .number = ++last_, .at = at, .subject = std::move(subject), .text = std::move(text)});
  }

  [[nodiscard]] const std::deque<Event>& events() const { return events_; }

 private:
  std::deque<Event> events_;
  std::uint64_t last_ = 0;
};

}  // namespace director
