#pragma once

#include <functional>
#include <vector>

#include "director/engine/problems.h"
#include "net/loop.h"

namespace director {

/// Notes since when each problem of this node has been there: right after an event, and each second, since some end
/// without one.
class ProblemWatch {
 public:
  /// `all` returns what is wrong at the moment.
  ProblemWatch(net::Loop& loop, std::function<std::vector<Problem>()> all) : loop_(loop), all_(std::move(all)) {}
  ~ProblemWatch() {
    loop_.cancel(soon_timer_);
    loop_.cancel(next_timer_);
  }
  ProblemWatch(const ProblemWatch&) = delete;
  ProblemWatch& operator=(const ProblemWatch&) = delete;

  void start() {
    update();
    next_timer_ = loop_.after(std::chrono::seconds(1), [this] { start(); });
  }

  /// Updates before the next turn of the loop; once for all events of this one.
  void update_soon() {
    if (soon_timer_ != 0) return;
    soon_timer_ = loop_.at(loop_.now(), [this] {
      soon_timer_ = 0;
      update();
    });
  }

  [[nodiscard]] net::WallTime since(const Problem& problem) const {
    return problems_.since(problem, loop_.clock().wall());
  }

 private:
  void update() { problems_.note(all_(), loop_.clock().wall()); }

  net::Loop& loop_;
  std::function<std::vector<Problem>()> all_;
  Problems problems_;
  net::Loop::Id soon_timer_ = 0, next_timer_ = 0;
};

}  // namespace director
