#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <unordered_map>
#include <vector>

#include "net/clock.h"
#include "net/error.h"
#include "net/fd.h"

namespace net {

/// One thread's event loop: descriptors, deadlines and signals.
///
/// A turn drains I/O first and expires deadlines after: a process that was frozen finds the answers that arrived
/// meanwhile before it acts on its own timeouts. The clock is read once a turn, after the wait. Deadlines are rounded
/// up to a millisecond, so that those that fall together cost one wake-up. Nothing here is safe to call from another
/// thread.
class Loop {
 public:
  using Id = std::uint64_t;  ///< names a watch or a timer for its life; never reused; 0 names none
  using OnReady = std::move_only_function<void(std::uint32_t events)>;
  using OnDue = std::move_only_function<void()>;
  using OnSignal = std::move_only_function<void(int signal)>;

  /// `clock` must outlive the loop. Errors: no descriptors or memory left.
  static Result<Loop> create(Clock& clock = host_clock());

  Loop(Loop&&) noexcept = default;
  Loop& operator=(Loop&&) noexcept = default;

  /// The time at which this turn began.
  [[nodiscard]] Instant now() const { return now_; }

  /// Lets now() be this moment: for waits that begin after work that took long, as a start's.
  void read_clock() { now_ = clock_->now(); }

  /// What it goes by.
  [[nodiscard]] const Clock& clock() const { return *clock_; }

  /// Calls `on_ready` with EPOLL* bits while `fd` is ready for any of `events` (level-triggered unless EPOLLET is among
  /// them). The descriptor stays the caller's, who unwatches it before closing it.
  Result<Id> watch(int fd, std::uint32_t events, OnReady on_ready);

  /// Changes what a watched descriptor waits for.
  Result<> rewatch(Id id, std::uint32_t events);

  /// Forgets a watch, also one whose event this turn has already collected. Unknown ids are ignored.
  void unwatch(Id id);

  /// The same for a descriptor that is closed at once, and of which there is no duplicate: closing it ends the kernel's
  /// watch, which saves a system call.
  void forget(Id id) { watches_.erase(id); }

  /// Calls `on_due` once, in the first turn at or after `due`.
  Id at(Instant due, OnDue on_due);
  Id after(Duration delay, OnDue on_due) { return at(now_ + delay, std::move(on_due)); }

  /// Forgets a timer, also one that is due in this very turn. Unknown ids are ignored.
  void cancel(Id id) { timers_.erase(id); }

  /// Blocks `signals` for the thread and delivers them here instead. Called at most once, before other threads start.
  Result<> on_signals(std::initializer_list<int> signals, OnSignal on_signal);

  /// Takes turns until stop().
  Result<> run();
  void stop() { running_ = false; }

  /// One turn: waits for I/O or the next deadline, at most `limit`.
  Result<> turn(Duration limit);

  /// When the next deadline is; nothing if there is none.
  [[nodiscard]] std::optional<Instant> next_due();

 private:
  struct Watch {
    int fd;
    OnReady on_ready;
  };
  struct Deadline {
    Instant due;
    Id id;
    bool operator>(const Deadline& other) const { return due != other.due ? due > other.due : id > other.id; }
  };

  Loop(Clock& clock, Fd epoll) : clock_(&clock), epoll_(std::move(epoll)), now_(clock.now()) {}

  void dispatch_ready(int count);
  void expire_deadlines();

  Clock* clock_;
  Fd epoll_;
  Fd signals_;
  Instant now_;
  bool running_ = false;
  Id next_id_ = 1;
  std::unordered_map<Id, Watch> watches_;
  std::unordered_map<Id, OnDue> timers_;
  std::vector<Deadline> heap_;  ///< earliest first; may hold cancelled timers, which are skipped when they surface
  std::vector<epoll_event> ready_ = std::vector<epoll_event>(256);
};

}  // namespace net
