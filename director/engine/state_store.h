#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "director/engine/deadline_clock.h"
#include "director/engine/event_log.h"
#include "director/engine/persistent_state.h"
#include "director/engine/state_disk.h"
#include "net/loop.h"

namespace director {

/// What must survive a restart, in memory and on the disk. A change is in force at once; the disk follows in a thread,
/// and is tried again until it holds what the memory does. Nothing on the loop waits for it.
class StateStore {
 public:
  /// How long whoever asks waits for the disk, and how long the disk may take before that is a problem.
  static constexpr auto durable_timeout = std::chrono::seconds(1);

  /// `loop` and `log` must outlive this. Until open() there is only the memory.
  StateStore(net::Loop& loop, EventLog& log) : loop_(loop), log_(log), clock_(loop.clock()) {}
  /// As the disk's: a write under way may go on by itself.
  ~StateStore();
  StateStore(const StateStore&) = delete;
  StateStore& operator=(const StateStore&) = delete;

  /// Reads the state that an earlier process left. A state file that cannot be read must not keep the service down:
  /// it is renamed, and kept.
  void open(std::unique_ptr<StateDisk> disk);

  [[nodiscard]] const PersistentState& state() const { return state_; }

  /// The time by which its deadlines are counted; see DeadlineClock.
  [[nodiscard]] net::WallTime now() const { return clock_.now(); }

  /// Looks each second whether somebody has set the clock on the wall, and moves all times of the state along; `moved`
  /// is told by how much.
  void follow_clock(std::function<void(net::WallTime::duration by)> moved);

  /// Lets `change` work on what is known; it returns whether it changed something.
  void update(const std::function<bool(PersistentState&)>& change);

  /// Told once: "" when all updates so far would outlive a loss of power, else why they would not yet, after
  /// `durable_timeout` at the latest. At once where nothing is to be written, as without a disk.
  using Done = std::move_only_function<void(const std::string& why_not)>;
  void when_durable(Done done);

  /// Whether all updates so far would outlive a loss of power, or nothing is ever written.
  [[nodiscard]] bool is_durable() const { return saved_ == updates_; }

  /// Whether anything is ever written: in a dry run, nothing is.
  [[nodiscard]] bool has_disk() const { return disk_ != nullptr; }

  /// Sentences: why the disk does not hold what the memory does, and what was wrong with what was found; "" if nothing.
  [[nodiscard]] const std::string& unsaved() const { return unsaved_; }
  [[nodiscard]] const std::string& damaged() const { return damaged_; }

 private:
  void check_clock();
  void write();
  void written(std::uint64_t update, const net::Result<>& saved);
  void fail(const std::string& why);
  /// Those who wait for updates up to this one.
  void notify(std::uint64_t update, const std::string& why_not);
  [[nodiscard]] std::string too_slow() const;

  struct Waiting {
    std::uint64_t update = 0;  ///< the last that it waits for
    Done done;
    net::Loop::Id timer = 0;  ///< when its durable_timeout is over
  };

  net::Loop& loop_;
  EventLog& log_;
  DeadlineClock clock_;
  PersistentState state_;
  std::uint64_t updates_ = 0;        ///< how many there were
  std::uint64_t saved_ = 0;          ///< how many of them the disk has
  std::unique_ptr<StateDisk> disk_;  ///< none: only in memory
  net::Loop::Id late_timer_ = 0;     ///< while a write is under way: when that has lasted too long
  net::Loop::Id retry_timer_ = 0;    ///< after a failure
  net::Loop::Id clock_timer_ = 0;
  std::function<void(net::WallTime::duration)> clock_moved_;
  std::deque<Waiting> waiting_;
  std::string unsaved_, damaged_;
};

}  // namespace director
