#include "vrrp/sequences.h"

#include <algorithm>
#include <optional>

#include "vrrp/signature.h"

namespace vrrp {

std::uint64_t Sequences::next(std::uint64_t time_of_day) { return own_ = std::max(own_ + 1, time_of_day); }

bool Sequences::note_advert(const net::Address& source, std::uint64_t sequence, std::uint64_t time_of_day) {
  return note(adverts_, source, sequence, time_of_day);
}

bool Sequences::note_hello(const net::Address& source, std::uint64_t sequence, std::uint64_t time_of_day) {
  return note(hellos_, source, sequence, time_of_day);
}

bool Sequences::note(Last& last, const net::Address& source, std::uint64_t sequence, std::uint64_t time_of_day) {
  const auto found = last.find(source);
  if (!is_new(sequence, found == last.end() ? std::nullopt : std::optional(found->second), time_of_day)) return false;
  last[source] = sequence;
  return true;
}

}  // namespace vrrp
