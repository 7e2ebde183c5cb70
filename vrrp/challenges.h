#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "net/address.h"
#include "net/time.h"
#include "vrrp/advert.h"

/// What one router asks of those who sign, to learn whether a packet is of now: a question with a random number, which
/// the answer repeats. Pure: `now` is this host's monotonic time, and random numbers come from outside.
namespace vrrp {

using net::Duration;
using net::Instant;

/// For how long a random number is used for questions, its answer is waited for after the last of them, and an advert
/// is held for it.
inline constexpr Duration answer_patience = std::chrono::seconds(1);

/// A signed advert whose sequence does not show that it is of now.
struct HeldAdvert {
  Advert advert;
  std::uint64_t sequence = 0;
  Instant arrived{};
};

/// Whether an answer of the same sender with a sequence `answer`, which was in doubt before it as well, shows that the
/// advert was sent in the same life of its sender, and no longer before it arrived than `sequence_tolerance`.
[[nodiscard]] bool is_confirmed(const HeldAdvert& held, std::uint64_t answer, Instant now);

/// The questions of one router, by whom they were sent to. Only who has a key gets an entry: one advert, two numbers
/// and two times for each address from which a packet with a good signature came.
class Challenges {
 public:
  /// Whether `pause` has passed since the last question to `other`, or there was none.
  [[nodiscard]] bool is_due(const net::Address& other, Duration pause, Instant now) const;

  /// A question is sent to `other` now: with the challenge that is outstanding if it is not older than
  /// `answer_patience`, else with `random`, which is not 0.
  std::uint64_t ask(const net::Address& other, std::uint64_t random, Instant now);

  /// Whether `response` answers the question that is outstanding, and in time. It answers once.
  [[nodiscard]] bool take_answer(const net::Address& other, std::uint64_t response, Instant now);

  /// Holds an advert until its sender answers, in place of an earlier one. False: the earlier one is refused, as its
  /// sender has been asked and has not answered for longer than `answer_patience`.
  [[nodiscard]] bool hold(const net::Address& other, HeldAdvert held);

  /// The advert that was held for an answer, which has come.
  [[nodiscard]] std::optional<HeldAdvert> take_held(const net::Address& other);

 private:
  struct Question {
    std::optional<Instant> asked{};             ///< last
    std::optional<Instant> unanswered_since{};  ///< the first question after the last answer
    std::uint64_t challenge = 0;                ///< outstanding; 0: none
    Instant made{};                             ///< when the challenge was first sent
    std::optional<HeldAdvert> held{};
  };
  std::map<net::Address, Question> questions_;
};

}  // namespace vrrp
