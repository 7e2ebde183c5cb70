#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "net/error.h"
#include "net/fd.h"
#include "net/loop.h"

namespace director {

/// Work that takes long (reading a large file) in a thread of its own, so that the loop's timers are not late.
class Background {
 public:
  using Then = std::move_only_function<void()>;
  /// Runs in the thread, and returns what is to be done on the loop with what it found.
  using Work = std::move_only_function<Then()>;
  /// Told on the loop, in place of what `Work` would have returned, that it could not be done: there are no threads or
  /// no memory left.
  using Failed = std::move_only_function<void(const net::Error& error)>;

  /// `loop` must outlive this. Error: no descriptors left.
  static net::Result<std::unique_ptr<Background>> create(net::Loop& loop);

  /// Waits for the work under way; what was to follow it is forgotten.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// One work at a time: must not be called while busy().
  void run(Work work, Failed failed);
  [[nodiscard]] bool busy() const { return busy_; }

 private:
  Background(net::Loop& loop, net::Fd done) : loop_(loop), done_(std::move(done)) {}
  void signal_end() const;
  void finished();

  net::Loop& loop_;
  net::Fd done_;  ///< an eventfd that the thread writes when it has ended
  net::Loop::Id watch_ = 0;
  bool busy_ = false;
  Then then_;  ///< the thread's until it has written to done_; none: it failed
  std::string why_failed_;
  Failed failed_;
  std::jthread thread_;
};

}  // namespace director
