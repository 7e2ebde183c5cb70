#pragma once

#include <array>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "ipvs/kernel.h"

namespace ipvs {

/// A table in memory that answers like the kernel's: the same values read back, the same errno for each wrong call, in
/// the same order of precedence (kernel 6.1, with lo up). For tests, and for `directord --dry-run`.
class MemoryKernel final : public Kernel {
 public:
  /// What goes wrong next with apply() or a listing; each is used up once.
  enum class Fault : std::uint8_t {
    lost_reply,        ///< the ops are done, but the answer is not heard: ETIMEDOUT
    no_buffers,        ///< the first half of the ops is done, then the answers overflow: ENOBUFS
    busy,              ///< nothing is done: EBUSY
    interrupted_dump,  ///< the table changed during every attempt: EINTR
  };

  net::Result<std::vector<RefusedOp>> apply(std::span<const Op> ops) override;
  net::Result<std::vector<ServiceRow>> services() override;
  net::Result<std::optional<ServiceRow>> service(const ServiceKey& key) override;
  net::Result<std::vector<DestinationRow>> destinations(const ServiceKey& key) override;
  net::Result<std::vector<Daemon>> daemons() override;
  net::Result<Timeouts> timeouts() override { return timeouts_; }
  net::Result<Info> info() override { return Info{.version = 0x010201, .connection_table_size = 4096}; }

  /// The table with its counters, without the faults. Tests may set counters and connections here.
  Snapshot table;

  /// What removing a destination does to its connections (sysctl net.ipv4.vs.expire_nodest_conn): false: they go
  /// nowhere until it is added again, true: they are reset.
  bool expire_nodest_conn = false;
  std::uint64_t reset = 0;  ///< active connections that removals have reset

  /// Removed destinations whose connections go nowhere; the kernel forgets them after two minutes, a test when it
  /// likes.
  std::map<std::pair<ServiceKey, DestinationKey>, DestinationStatus> trash;
  [[nodiscard]] std::uint64_t orphaned() const;  ///< their active connections

  /// The schedulers that are there or can be loaded.
  std::set<std::string> schedulers = {"dh",  "fo", "lblc", "lblcr", "lc",   "mh",  "none", "nq",
                                      "ovf", "rr", "sed",  "sh",    "twos", "wlc", "wrr"};

  /// The interfaces that a sync daemon can use, with their MTU.
  std::map<std::string, std::uint32_t> interfaces = {{"lo", 65536}};

  /// The module is removed, and with it the table and the daemons: calls end with ENOENT until it is loaded again and
  /// whoever had opened the table has done so anew.
  void unload();
  void load() { loaded_ = true; }
  net::Result<> reopen() override;

  /// Faults for the coming calls, in order; a listing skips those that only apply() can suffer.
  std::deque<Fault> faults;

 private:
  struct Apply;

  net::Result<> fail_dump();

  bool loaded_ = true;
  bool open_ = true;  ///< it was, the last time the table was opened

  std::array<std::optional<Daemon>, 2> daemons_;  ///< master, backup
  Timeouts timeouts_{
      .tcp = std::chrono::seconds(900), .tcp_fin = std::chrono::seconds(120), .udp = std::chrono::seconds(300)};
};

}  // namespace ipvs
