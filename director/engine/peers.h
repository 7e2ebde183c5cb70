#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "config/cluster.h"
#include "director/engine/agreement.h"
#include "director/engine/event_log.h"
#include "director/engine/node_names.h"
#include "director/engine/problems.h"
#include "net/loop.h"

namespace director {

/// The cluster's other directors, as far as they have made themselves known: who they are, and whether they run what
/// this one does.
class Peers {
 public:
  /// `loop` and `log` must outlive this.
  Peers(net::Loop& loop, EventLog& log) : loop_(loop), log_(log) {}
  ~Peers() { loop_.cancel(timer_); }
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  /// This node, and what identifies the cluster file that it has in force.
  void set_own(const config::Node& node, const vrrp::Digest& files);
  /// Another made itself known.
  void update_peer(const vrrp::Identity& other, const net::Address& from);

  /// What this node says of itself.
  [[nodiscard]] const vrrp::Identity& own() const { return agreement_.own(); }

  /// By the file's addresses, and by those that they have made themselves known from, which may be of other networks.
  [[nodiscard]] NodeNames names(const config::Cluster& cluster) const;

  [[nodiscard]] std::vector<Problem> problems() const;

  /// Those of the cluster file, and whoever else has a key.
  [[nodiscard]] nlohmann::ordered_json status(const config::Cluster& cluster, bool dry_run) const;

 private:
  void report_notices();

  net::Loop& loop_;
  EventLog& log_;
  Agreement agreement_;
  net::Loop::Id timer_ = 0;  ///< when a difference will have lasted
};

}  // namespace director
