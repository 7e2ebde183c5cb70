#pragma once

#include <cstdint>
#include <map>

#include "net/address.h"

/// The sequences of signed packets: microseconds of the sender's clock on the wall, and always more than its last.
/// Pure: `time_of_day` is what that clock says here, in the same unit.
namespace vrrp {

/// Those that one router has signed with, and those that it has heard. Only who has a key gets an entry.
class Sequences {
 public:
  /// For the next packet: it rises even where the clock is set back.
  std::uint64_t next(std::uint64_t time_of_day);

  /// Takes note of one that was heard from `source`. False: it is not newer than one before, as is_new() has it. Hellos
  /// are kept apart from adverts, so that a hello which overtakes an advert does it no harm.
  [[nodiscard]] bool note_advert(const net::Address& source, std::uint64_t sequence, std::uint64_t time_of_day);
  [[nodiscard]] bool note_hello(const net::Address& source, std::uint64_t sequence, std::uint64_t time_of_day);

 private:
  using Last = std::map<net::Address, std::uint64_t>;
  static bool note(Last& last, const net::Address& source, std::uint64_t sequence, std::uint64_t time_of_day);

  std::uint64_t own_ = 0;
  Last adverts_, hellos_;
};

}  // namespace vrrp
