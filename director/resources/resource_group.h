#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/cluster.h"
#include "director/resources/unit_state.h"
#include "net/time.h"

namespace director {

/// The units that follow one role, in their order: started one after the other, stopped one after the other in reverse.
/// Pure: events and the time come in, and what is to be done comes out.
class ResourceGroup {
 public:
  /// What is to be done, or told, about one of them.
  struct Action {
    enum class Kind : std::uint8_t {
      start,     ///< ask for it
      stop,      ///< ask for it
      started,   ///< tell that it runs, where it should
      stopped,   ///< tell that it does not run any more, where it should not
      failed,    ///< tell that it failed, and what follows
      released,  ///< nothing runs here any more, or the time for that is over: the role may go
      recovered  ///< a failure is over: this node may lead again
    };
    Kind kind = Kind::start;
    std::size_t resource = 0;
    std::string reason{};
  };
  using Actions = std::vector<Action>;

  struct Resource {
    enum class Job : std::uint8_t { none, start, stop };
    config::Resource spec;
    UnitState state = UnitState::unknown;
    net::Instant since{};      ///< in this state
    std::string reason{};      ///< why it is in it, as far as it is known
    Job job = Job::none;       ///< that was asked for and has not ended
    net::Instant job_by{};     ///< and when its time is over
    unsigned failures = 0;     ///< since it last was active for long
    bool ran = false;          ///< was active while it should be: if it is not any more, that is a failure
    bool stop_failed = false;  ///< did not stop in its time; asked again at `not_before`
    net::Instant not_before{};
  };

  /// For so long a unit is active before its earlier failures are forgotten.
  static constexpr std::chrono::minutes forget_failures_after{10};
  /// Between a failure and the restart.
  static constexpr std::chrono::seconds restart_pause{1};
  /// Until a node that gave its role up may lead again, and a unit that did not stop is asked again.
  static constexpr std::chrono::seconds retry_pause{60};

  /// Nothing is started or stopped before this node's role is known: what runs is left as it is.
  explicit ResourceGroup(const std::vector<config::Resource>& specs) { set(specs, {}); }

  /// Other units from now on; those that it had keep what is known of them. A failure is forgotten.
  Actions set(const std::vector<config::Resource>& specs, net::Instant now);

  /// The role is here, or is here again after it was released. What does not run is started, not before `start_from`.
  Actions gain(net::Instant start_from, net::Instant now);
  /// The role is elsewhere.
  Actions lose(net::Instant now);
  /// The role is to be given away: what runs is stopped, and Action::released is the answer, within stop_time().
  Actions leave(net::Instant now);

  Actions update(std::size_t resource, UnitState state, net::Instant now);
  Actions end_job(std::size_t resource, const std::string& error, UnitState state, net::Instant now);
  /// The service manager is out of reach: nothing is known.
  void lose_sight(net::Instant now);
  /// deadline() has passed.
  Actions expire(net::Instant now);
  [[nodiscard]] std::optional<net::Instant> deadline() const;

  [[nodiscard]] const std::vector<Resource>& resources() const { return resources_; }
  /// The sum of all stop limits.
  [[nodiscard]] std::chrono::milliseconds stop_time() const;
  /// Why the role had to be given up, after Action::released and until Action::recovered; empty otherwise.
  [[nodiscard]] std::string failure() const { return leaving_ == Leaving::done ? failure_ : ""; }
  /// Nobody has said yet where the role is.
  [[nodiscard]] bool unasked() const { return wanted_ == Wanted::unasked; }
  /// What is not as it should be, for each; empty where nothing is.
  [[nodiscard]] std::string problem(const Resource& resource, net::Instant now) const;

 private:
  enum class Wanted : std::uint8_t { unasked, started, stopped };
  enum class Leaving : std::uint8_t { no, stopping, done };

  [[nodiscard]] bool should_run() const { return wanted_ == Wanted::started && leaving_ == Leaving::no; }
  void advance(Actions& actions, net::Instant now);
  void start_next(Actions& actions, net::Instant now);
  bool stop_next(Actions& actions, net::Instant now);
  void begin_leaving(net::Instant now);
  void note_state(std::size_t index, UnitState state, Actions& actions, net::Instant now);
  void note_failure(std::size_t index, const std::string& why, Actions& actions, net::Instant now);
  void ask(std::size_t index, Resource::Job job, Actions& actions, net::Instant now);
  void time_out(std::size_t index, Actions& actions, net::Instant now);
  void recover(Actions& actions);

  std::vector<Resource> resources_;
  Wanted wanted_ = Wanted::unasked;
  net::Instant start_from_{};
  Leaving leaving_ = Leaving::no;
  net::Instant leave_by_{};
  std::string failure_;
  std::optional<net::Instant> recover_at_;
  bool seen_ = false;  ///< a unit's state was known once
};

}  // namespace director
