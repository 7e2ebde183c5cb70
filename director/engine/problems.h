#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "director/engine/event_types.h"
#include "net/time_text.h"

namespace director {

/// Something that is not as it must be.
struct Problem {
  EventKind kind;       ///< of the event that told of it
  std::string subject;  ///< "service web", "vrrp front"
  std::string reason;   ///< a sentence that names the subject
};

/// Since when each problem has been there. Pure.
class Problems {
 public:
  /// What is wrong now: what was there keeps its time, also where the reason has changed; what is over is forgotten.
  void note(const std::vector<Problem>& problems, net::WallTime now);

  /// `now` where it has not been noted yet.
  [[nodiscard]] net::WallTime since(const Problem& problem, net::WallTime now) const;

 private:
  std::map<std::pair<EventKind, std::string>, net::WallTime> since_;  ///< by kind and subject
};

}  // namespace director
