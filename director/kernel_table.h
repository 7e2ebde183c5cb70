#pragma once

#include <set>
#include <span>
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

  /// What the kernel holds for a service; empty if it is not there.
  [[nodiscard]] ipvs::ServiceEntry actual(const ipvs::ServiceKey& key) const;
  [[nodiscard]] bool has(const ipvs::ServiceKey& key) const { return table_.contains(key); }

  /// What should be there for one service; without `entry`, nothing.
  struct Wish {
    ipvs::ServiceKey key;
    std::optional<ipvs::ServiceEntry> entry;
  };

  struct Outcome {
    std::vector<ipvs::Op> done;            ///< in the order they were sent
    std::set<ipvs::ServiceKey> unsettled;  ///< services that are not yet as wished: wish again later
    std::vector<net::Error> errors;        ///< why
  };

  /// Fulfils wishes, all in one batch.
  Outcome make(std::span<const Wish> wishes);

 private:
  net::Result<> read_again(const ipvs::ServiceKey& key);

  ipvs::Kernel& kernel_;
  ipvs::Table table_;
  std::set<ipvs::ServiceKey> doubtful_;  ///< services whose entry in table_ may be wrong
};

}  // namespace director
