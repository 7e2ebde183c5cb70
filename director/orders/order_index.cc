#include "director/orders/order_index.h"

#include "net/check.h"

namespace director {

void OrderIndex::set(const OrderSubject& subject, const OrderVersion& version) {
  erase(subject);
  const Place place{version.process, version.counter};
  places_.emplace(subject, place);
  subjects_.emplace(place, subject);
  ++processes_[version.process];
  ++revision_;
}

void OrderIndex::erase(const OrderSubject& subject) {
  const auto found = places_.find(subject);
  if (found == places_.end()) return;
  const auto process = processes_.find(found->second.first);
  net::check(process != processes_.end(), "the process of an indexed order is counted");
  if (--process->second == 0) processes_.erase(process);
  subjects_.erase({found->second, subject});
  places_.erase(found);
  ++revision_;
}

std::vector<std::pair<OrderSubject, OrderIndex::Place>> OrderIndex::lacking(const KnownOrders& known) const {
  std::vector<std::pair<OrderSubject, Place>> subjects;
  for (const auto& [process, count] : processes_) {
    const auto covered = known.find(process);
    const std::uint64_t after = covered == known.end() ? 0 : covered->second;
    for (auto at = subjects_.lower_bound({{process, after + 1}, {}});
         at != subjects_.end() && at->first.first == process; ++at) {
      subjects.emplace_back(at->second, at->first);
    }
  }
  return subjects;
}

}  // namespace director
