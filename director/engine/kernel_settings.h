#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "config/cluster.h"
#include "director/engine/event_log.h"
#include "net/loop.h"
#include "net/sysctls.h"

namespace director {

/// The kernel settings of IPVS that a cluster file needs: set while it is in force, and put back afterwards.
///
///   expire_quiescent_template 1     a service has persistence. With 0 the kernel leads a client back to the server
///                                   that it had, also when that has weight 0: failed, or drained.
///   sloppy_tcp, sloppy_sctp   1     stateless_takeover. The kernel then takes a packet in the midst of a connection
///                                   for a beginning.
class KernelSettings {
 public:
  /// `loop` and `log` must outlive this; `host` and `memory` as of net::Sysctls.
  KernelSettings(net::Loop& loop, net::Host& host, EventLog& log, std::filesystem::path memory);
  ~KernelSettings() { loop_.cancel(retry_timer_); }
  KernelSettings(const KernelSettings&) = delete;
  KernelSettings& operator=(const KernelSettings&) = delete;

  /// Sets what `cluster` needs, and puts back what it does not need. What cannot be set is in problems(), and is tried
  /// again: somebody may set it by hand.
  void set(const config::Cluster& cluster);

  /// Puts back what was changed, here or before a crash.
  void restore();

  /// By setting, a sentence: what could not be set, why, what follows and what to do.
  [[nodiscard]] const std::map<std::string, std::string>& problems() const { return problems_; }

 private:
  void adjust();

  net::Loop& loop_;
  EventLog& log_;
  net::Sysctls sysctls_;
  net::Loop::Id retry_timer_ = 0;
  std::map<std::string, std::string> needed_;  ///< by setting: what goes wrong without it
  std::map<std::string, std::string> problems_;
};

}  // namespace director
