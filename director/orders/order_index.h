#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "director/orders/order.h"

namespace director {

/// The orders of a book by the process that they were given to and its counter, so that those that a peer lacks are
/// found without looking at the others. Pure.
class OrderIndex {
 public:
  /// The order of this subject has this version from now on.
  void set(const OrderSubject& subject, const OrderVersion& version);
  /// There is no order of this subject any more.
  void erase(const OrderSubject& subject);

  using Place = std::pair<std::uint64_t, std::uint64_t>;  ///< process, counter

  /// The subjects whose orders `known` does not cover, those of each process in the order in which they were given.
  [[nodiscard]] std::vector<std::pair<OrderSubject, Place>> lacking(const KnownOrders& known) const;

  /// How often it was changed.
  [[nodiscard]] std::uint64_t revision() const { return revision_; }

  [[nodiscard]] std::size_t size() const { return places_.size(); }

 private:
  std::map<OrderSubject, Place> places_;
  std::set<std::pair<Place, OrderSubject>> subjects_;
  std::map<std::uint64_t, std::size_t> processes_;  ///< how many orders are of each
  std::uint64_t revision_ = 0;
};

}  // namespace director
