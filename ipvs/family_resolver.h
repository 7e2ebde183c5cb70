#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

namespace ipvs {

/// Asks the kernel anew which id the generic-netlink family "IPVS" has: another one once its module was removed and
/// loaded again. The kernel loads the module to answer, for which it runs modprobe and waits for a disk: so a thread
/// asks. It asks about the network namespace of whoever calls start().
class FamilyResolver {
 public:
  /// Begins to ask, unless that is under way. Without effect where no thread can be made: call it again later.
  void start();

  /// The id, once after each answer that has one.
  std::optional<std::uint16_t> take();

 private:
  /// What the thread leaves behind; it may end after this object.
  std::shared_ptr<std::atomic<std::uint32_t>> answer_;
};

}  // namespace ipvs
