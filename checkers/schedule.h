#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "net/time.h"

namespace checkers {

/// Who is to be probed when, as a pure value: no clock, no timers.
///
/// Each entry ticks at the instants that are `hash % interval` past a multiple of its interval, rounded down to a grid
/// of a hundredth of the interval (1 to 10 ms), so that entries spread evenly over the interval, reproducibly, and
/// never drift; only the first look at a new entry comes sooner, spread over `warm_up`. A tick that falls while the
/// entry is still busy, or that was missed by a whole interval, is skipped. Adding, removing and taking cost O(log n);
/// entries are 32 bytes and a 16-byte place in the heap.
class Schedule {
 public:
  using Id = std::uint32_t;  ///< the caller's small dense numbers: entries live in an array indexed by it

  static constexpr net::Duration warm_up = std::chrono::seconds(1);

  /// Starts an entry that is not there. `interval` is positive.
  void add(Id id, std::uint64_t hash, net::Duration interval, net::Instant now);

  /// Ends an entry. Ids that are not there are ignored.
  void remove(Id id);

  /// Gives an entry another interval: the next tick is the first of the new rhythm after `now`, unless the next one of
  /// the old comes sooner.
  void set_interval(Id id, net::Duration interval, net::Instant now);

  /// Puts a tick of an entry at `now`, out of the rhythm, which goes on as before. Ids that are not there are ignored.
  void run_now(Id id, net::Instant now);

  /// When the next tick falls.
  [[nodiscard]] std::optional<net::Instant> next_due();

  struct Start {
    Id id;
    net::Instant due;  ///< the tick it is for: `now - due` is how late the start is
  };

  /// The earliest entry whose tick has come and that is not busy; it is busy from now on until done().
  [[nodiscard]] std::optional<Start> take(net::Instant now);

  /// The entry's probe has ended. Ids that are not there are ignored.
  void done(Id id);

 private:
  struct Entry {
    std::uint64_t hash = 0;
    net::Duration interval{};
    net::Instant due;
    std::uint32_t generation = 0;  ///< of the one place in the heap that counts
    bool present = false;
    bool busy = false;
  };
  struct Place {
    net::Instant due;
    Id id;
    std::uint32_t generation;
    bool operator>(const Place& other) const { return due != other.due ? due > other.due : id > other.id; }
  };

  void place(Id id, net::Instant due);
  void drop_stale();

  std::vector<Entry> entries_;
  std::vector<Place> heap_;  ///< earliest first; places of an older generation are skipped when they surface
};

/// The first tick of a rhythm that is strictly after `now`.
[[nodiscard]] net::Instant next_tick(std::uint64_t hash, net::Duration interval, net::Instant now);

/// A hash that is the same on every machine and in every version (FNV-1a with a final mix).
[[nodiscard]] std::uint64_t stable_hash(std::string_view text);

}  // namespace checkers
