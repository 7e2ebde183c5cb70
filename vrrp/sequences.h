#pragma once

#include <cstdint>
#include <map>

#include "net/address.h"
#include "net/time.h"

/// The sequences of signed packets: microseconds, from the sender's clock on the wall when it began to sign, and always
/// more than its last. Pure: `now` is this host's monotonic time, `time_of_day` its clock on the wall, in microseconds.
namespace vrrp {

using net::Duration;
using net::Instant;

/// How much further a sender's sequences may have come than this host's time since the last one: more is not believed
/// unless the sender shows it. A packet is late by less, or it does not matter that it is asked about.
inline constexpr Duration sequence_tolerance = std::chrono::seconds(1);

/// How far two clocks on the wall may differ at first sight, for a sender that could be asked. Hosts whose clocks are
/// synchronized are well within it, and what is older than it is not believed.
inline constexpr Duration clocks_agree = std::chrono::seconds(2);

/// A duration as sequences count.
[[nodiscard]] constexpr std::uint64_t to_sequence(Duration duration) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

/// Those that one router has signed with, and those that it has heard. Only who has a key gets an entry: two numbers
/// and a time for each address from which a packet with a good signature came.
class Sequences {
 public:
  /// For the next packet: the clock on the wall at the first call, and the time that has passed since. A step of that
  /// clock changes nothing.
  std::uint64_t next(Instant now, std::uint64_t time_of_day);

  // Of a sender that answers no challenges, or that this router cannot ask. Hellos are kept apart from adverts, so that
  // a hello which overtakes an advert does it no harm.

  /// Takes note of one that was heard from `source`. False: it is not newer than one before, as is_new() has it.
  [[nodiscard]] bool note_advert(const net::Address& source, std::uint64_t sequence, Instant now,
                                 std::uint64_t time_of_day);
  [[nodiscard]] bool note_hello(const net::Address& source, std::uint64_t sequence, Instant now,
                                std::uint64_t time_of_day);

  // Of a sender that can be asked (challenges.h).

  /// Takes note of one that is fresh: greater than the last, by no more than the time that has passed since and
  /// `sequence_tolerance`; of a source that was never heard, the time of day, give or take `clocks_agree`. False: it is
  /// in doubt, and not taken note of.
  [[nodiscard]] bool note_fresh_advert(const net::Address& source, std::uint64_t sequence, Instant now,
                                       std::uint64_t time_of_day);
  /// The same of a question, which must be newer than the last hello too.
  [[nodiscard]] bool note_fresh_question(const net::Address& source, std::uint64_t sequence, Instant now,
                                         std::uint64_t time_of_day);
  /// What answered a challenge is of now, whatever was heard before. Where it was in doubt itself, later ones are
  /// compared with it, which may be less than the last; else with the last advert, so that an answer which overtakes
  /// one does it no harm. True: it was fresh, and so what was in doubt before it is not of now.
  bool note_answer(const net::Address& source, std::uint64_t sequence, Instant now, std::uint64_t time_of_day);

 private:
  struct Heard {
    std::uint64_t sequence = 0;
    Instant at{};
  };
  using Last = std::map<net::Address, Heard>;
  static bool note(Last& last, const net::Address& source, Heard heard, std::uint64_t time_of_day);
  [[nodiscard]] bool is_fresh(const net::Address& source, std::uint64_t sequence, Instant now,
                              std::uint64_t time_of_day) const;

  std::uint64_t own_ = 0;
  Heard began_;  ///< the first of its own
  Last adverts_, hellos_;
};

}  // namespace vrrp
