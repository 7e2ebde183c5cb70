#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "net/error.h"
#include "net/fd.h"
#include "net/loop.h"

namespace net {

/// Work that takes long, or for ever (reading a file whose file system hangs), in a thread of its own, so that the
/// loop's timers are not late.
class Background {
 public:
  using Then = std::move_only_function<void()>;
  /// Runs in the thread, and returns what is to be done on the loop with what it found. It must own all that it uses:
  /// it may outlive who asked. It ends in the thread; so does what it returns, where that is forgotten.
  using Work = std::move_only_function<Then()>;
  /// Told on the loop, in place of what `Work` would have returned, that it could not be done: there are no threads or
  /// no memory left.
  using Failed = std::move_only_function<void(const Error& error)>;

  /// `loop` must outlive this. Error: no descriptors left.
  static Result<std::unique_ptr<Background>> create(Loop& loop);

  /// Waits for nothing: the work under way is asked to stop, if it can, and what was to follow it is forgotten.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// One work at a time: must not be called while busy(). Work that takes long looks at `stop`.
  void run(Work work, Failed failed, std::stop_source stop = {});
  [[nodiscard]] bool busy() const { return busy_; }

  /// Waits until the work under way has ended, for `limit` at most: before an end.
  void wait(Duration limit) const;

 private:
  struct Shared;
  Background(Loop& loop, std::shared_ptr<Shared> shared);
  void finished();

  Loop& loop_;
  std::shared_ptr<Shared> shared_;  ///< with the thread
  Loop::Id watch_ = 0;
  bool busy_ = false;
  Failed failed_;
  std::stop_source stop_;
};

}  // namespace net
