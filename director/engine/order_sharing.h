#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "director/engine/cluster_in_force.h"
#include "director/engine/cluster_reports.h"
#include "director/engine/event_log.h"
#include "director/engine/operator_overrides.h"
#include "director/engine/problems.h"
#include "director/orders/peer_transport.h"
#include "net/loop.h"
#include "vrrp/spec.h"

namespace director {

/// The connections over which this node and the cluster's other directors tell each other operators' orders and reports
/// of themselves, and who has which order.
class OrderSharing {
 public:
  /// How long a node may be out of reach until that is a problem.
  static constexpr auto unreachable_grace = std::chrono::seconds(10);
  /// How long a starting node waits for another that connects to it.
  static constexpr auto first_contact = std::chrono::milliseconds(1500);
  /// How long whoever gave an order waits until the others have it.
  static constexpr auto answer_timeout = std::chrono::seconds(1);

  /// All must outlive this. Without `make_transport` nothing is shared.
  OrderSharing(net::Loop& loop, const ClusterInForce& in_force, EventLog& log, OperatorOverrides& overrides,
               ClusterReports& reports, const MakeTransport& make_transport);
  ~OrderSharing();
  OrderSharing(const OrderSharing&) = delete;
  OrderSharing& operator=(const OrderSharing&) = delete;

  /// As the cluster file in force says, with its keys; none: nothing is shared.
  void set(const std::vector<vrrp::Key>& keys);
  void stop();

  [[nodiscard]] bool is_on() const { return on_; }
  /// Why this node does not know yet what operators want: "" when it does, or when nobody can tell it.
  [[nodiscard]] std::string not_ready() const;

  /// An order was given here, or has come: it goes to the others.
  void pump();

  /// Told once: when all nodes that are connected have the order that was given last, and after `answer_timeout` at the
  /// latest: "held by lb1, lb2; lb3 not reached for 40 s". Empty where nothing is to be said: the cluster has one node.
  using Done = std::move_only_function<void(std::string who)>;
  void when_held(Done done);
  /// The same now, of one order.
  [[nodiscard]] std::string held_by(const OrderVersion& version) const;
  /// Whether no other director is to be told of it: all have it, or there is none.
  [[nodiscard]] bool is_held_everywhere(const OrderVersion& version) const;

  [[nodiscard]] std::vector<Problem> problems() const;
  /// Of each other node: whether it is connected, and since when not.
  [[nodiscard]] nlohmann::ordered_json status(const std::string& node) const;

 private:
  struct Waiting {
    OrderVersion version;
    Done done;
    net::Loop::Id timer = 0;
  };

  PeerTransport::Callbacks callbacks();
  [[nodiscard]] std::optional<std::string> next_text(PeerTransport::Session session, bool ping);
  net::Result<> receive(PeerTransport::Session session, const std::string& node, const std::string& text);
  void tell_waiting();
  void answer_first();
  void note_connected(const std::string& node);
  void check_reachable();
  [[nodiscard]] std::string why_unreachable(const std::string& node, const OrderExchange::Peer& peer) const;

  net::Loop& loop_;
  const ClusterInForce& in_force_;
  EventLog& log_;
  OperatorOverrides& overrides_;
  ClusterReports& reports_;
  std::unique_ptr<PeerTransport> transport_;
  std::string error_;  ///< why the keys cannot be used
  bool on_ = false;
  bool synced_ = false;  ///< all that another director has was received, once
  net::Instant on_since_{};
  std::map<std::string, std::string> told_;  ///< nodes that were told as out of reach, and why
  std::deque<Waiting> waiting_;
  net::Loop::Id timer_ = 0;
};

}  // namespace director
