#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "ipvs/op.h"
#include "net/error.h"

namespace ipvs {

/// An op of a sequence that the kernel refused: `error` names the object, the operation and the cause.
struct RefusedOp {
  std::size_t index = 0;  ///< the op's place in the sequence
  net::Error error;
};

/// The IPVS table of one network namespace, real (NetlinkKernel) or imagined (MemoryKernel).
///
/// Every error names what was being done. EPERM and a kernel without IPVS say what to do about it.
class Kernel {
 public:
  virtual ~Kernel() = default;

  /// Applies the ops in order; one that is refused does not stop those after it. Returns the refused ones, in order:
  ///   EEXIST  the service or destination to be added is there
  ///   ESRCH   there is no such service
  ///   ENOENT  there is no such destination, scheduler or persistence engine
  ///   EINVAL, ERANGE, EAFNOSUPPORT  a value that the kernel does not take
  /// Error: the kernel could not be asked, or its answers were lost, so that any of the ops may have been done.
  virtual net::Result<std::vector<RefusedOp>> apply(std::span<const Op> ops) = 0;

  /// The services in the kernel's own order.
  virtual net::Result<std::vector<ServiceRow>> services() = 0;

  /// One service; nothing if it is not there.
  virtual net::Result<std::optional<ServiceRow>> service(const ServiceKey& key) = 0;

  /// A service's destinations in the kernel's own order; none if there is no such service.
  virtual net::Result<std::vector<DestinationRow>> destinations(const ServiceKey& key) = 0;

  /// The sync daemons that run, master before backup.
  virtual net::Result<std::vector<Daemon>> daemons() = 0;

  virtual net::Result<Timeouts> timeouts() = 0;
  virtual net::Result<Info> info() = 0;

  /// After a question that ended with ENOENT, as all do once the module ip_vs was removed: has it loaded again, and
  /// looks for the table, which is empty then. Error ENOENT: it is not there as yet; ask again.
  virtual net::Result<> reopen() = 0;

  /// The whole table with its counters. Not one moment's state: each service is asked in turn.
  net::Result<Snapshot> list();

  /// One service with its destinations; nothing if it is not there.
  net::Result<std::optional<ServiceStatus>> list(const ServiceKey& key);

  /// apply() of one op: its refusal is the error.
  net::Result<> apply_one(const Op& op);
};

}  // namespace ipvs
