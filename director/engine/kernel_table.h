#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "ipvs/kernel.h"

namespace director {

/// The kernel's table as last seen, and the one way to change it: what is wanted of a service is compared with what is
/// there, and the difference is sent. A service whose change the kernel refused, or whose answers were lost, is read
/// again before it is next compared.
class KernelTable {
 public:
  /// `kernel` must outlive the table.
  explicit KernelTable(ipvs::Kernel& kernel) : kernel_(kernel) {}

  /// Reads everything.
  net::Result<> read();

  /// What the kernel holds for a service; empty if it is not there. Valid until the table is read or changed.
  [[nodiscard]] const ipvs::ServiceEntry& actual(const ipvs::ServiceKey& key) const;
  [[nodiscard]] bool has(const ipvs::ServiceKey& key) const { return table_.contains(key); }
  [[nodiscard]] const ipvs::Table& table() const { return table_; }

  /// What should be there for one service; without `entry`, nothing.
  struct Desired {
    ipvs::ServiceKey key;
    std::optional<ipvs::ServiceEntry> entry;
  };

  struct Outcome {
    std::vector<ipvs::Op> done;                      ///< in the order they were sent
    std::map<ipvs::ServiceKey, std::string> failed;  ///< services not yet as desired, and why: apply again later
  };

  /// Reads a service again: true when the kernel holds something else than was known.
  net::Result<bool> read(const ipvs::ServiceKey& key);

  /// The same if the service is stale. What is desired is to be made from what is then actual.
  net::Result<bool> refresh(const ipvs::ServiceKey& key);

  /// Makes the table as desired, all in one batch.
  Outcome apply(std::span<const Desired> desired);

 private:
  ipvs::Kernel& kernel_;
  ipvs::Table table_;
  std::set<ipvs::ServiceKey> stale_;  ///< services whose entry in table_ may be wrong
};

}  // namespace director
