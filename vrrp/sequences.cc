#include "vrrp/sequences.h"

#include <algorithm>
#include <optional>

#include "vrrp/signature.h"

namespace vrrp {

std::uint64_t Sequences::next(Instant now, std::uint64_t time_of_day) {
  if (own_ == 0) began_ = {.sequence = time_of_day, .at = now};
  return own_ = std::max(own_ + 1, began_.sequence + to_sequence(now - began_.at));
}

bool Sequences::note(Last& last, const net::Address& source, Heard heard, std::uint64_t time_of_day) {
  const auto found = last.find(source);
  const auto before = found == last.end() ? std::nullopt : std::optional(found->second.sequence);
  if (!is_new(heard.sequence, before, time_of_day)) return false;
  last[source] = heard;
  return true;
}

bool Sequences::note_advert(const net::Address& source, std::uint64_t sequence, Instant now,
                            std::uint64_t time_of_day) {
  return note(adverts_, source, {.sequence = sequence, .at = now}, time_of_day);
}

bool Sequences::note_hello(const net::Address& source, std::uint64_t sequence, Instant now, std::uint64_t time_of_day) {
  return note(hellos_, source, {.sequence = sequence, .at = now}, time_of_day);
}

bool Sequences::is_fresh(const net::Address& source, std::uint64_t sequence, Instant now,
                         std::uint64_t time_of_day) const {
  const auto found = adverts_.find(source);
  if (found == adverts_.end()) {
    const auto apart = sequence > time_of_day ? sequence - time_of_day : time_of_day - sequence;
    return apart <= to_sequence(clocks_agree);
  }
  const auto& [last, at] = found->second;
  return sequence > last && sequence - last <= to_sequence(now - at + sequence_tolerance);
}

bool Sequences::note_fresh_advert(const net::Address& source, std::uint64_t sequence, Instant now,
                                  std::uint64_t time_of_day) {
  if (!is_fresh(source, sequence, now, time_of_day)) return false;
  adverts_[source] = {.sequence = sequence, .at = now};
  return true;
}

bool Sequences::note_fresh_question(const net::Address& source, std::uint64_t sequence, Instant now,
                                    std::uint64_t time_of_day) {
  const auto last = hellos_.find(source);
  if (last != hellos_.end() && sequence <= last->second.sequence) return false;
  if (!is_fresh(source, sequence, now, time_of_day)) return false;
  hellos_[source] = {.sequence = sequence, .at = now};
  return true;
}

bool Sequences::note_answer(const net::Address& source, std::uint64_t sequence, Instant now,
                            std::uint64_t time_of_day) {
  const bool was_fresh = is_fresh(source, sequence, now, time_of_day);
  if (!was_fresh || !adverts_.contains(source)) adverts_[source] = {.sequence = sequence, .at = now};
  hellos_[source] = {.sequence = sequence, .at = now};
  return was_fresh;
}

}  // namespace vrrp
