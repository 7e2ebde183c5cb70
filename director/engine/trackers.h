#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "checkers/checkers.h"
#include "config/cluster.h"
#include "net/links.h"
#include "net/loop.h"

namespace net {
class Host;
}  // namespace net

namespace director {

/// Looks after what a node must have to lead (`track`): links, and checks of its own.
class Trackers {
 public:
  /// One of them, as it is now.
  struct Status {
    std::string name;
    checkers::HealthState state = checkers::HealthState::unknown;
    net::Instant since;    ///< in this state
    std::string reason{};  ///< "link eth1 is down"; what the last probe said; may be empty
    int lower = 0;         ///< what failing takes from the priority; 0: the role
  };
  /// What the trackers of one virtual router say together.
  struct Verdict {
    std::string fault;  ///< why it must not lead; "" if it may
    int lower = 0;      ///< what its priority loses

    auto operator<=>(const Verdict&) const = default;
  };
  /// `cause` names the trackers that made it so: "uplink: link eth1 is down", "uplink passes again".
  using OnVerdict = std::function<void(const std::string& router, const Verdict& verdict, const std::string& cause)>;

  /// `loop` and `host` must outlive this.
  Trackers(net::Loop& loop, net::Host& host, OnVerdict on_verdict, checkers::MakeProber make_prober,
           checkers::LocalFaults::OnChange on_local_fault);

  /// Opens what it takes to watch those of `cluster`; nothing else changes. Error: the interfaces cannot be read.
  net::Result<> open(const config::Cluster& cluster);

  /// From now on those of `cluster`, for which open() has succeeded. Verdicts are told when they change after this; a
  /// check that has not ended yet is no failure.
  void set(const config::Cluster& cluster);

  /// Of each router, as it is now.
  [[nodiscard]] const std::map<std::string, Verdict>& verdicts() const { return verdicts_; }

  /// What keeps their checks from being run on this host.
  [[nodiscard]] std::vector<checkers::LocalFault> local_faults() const { return checkers_.local_faults(); }

  /// In the order of the cluster file.
  [[nodiscard]] std::vector<Status> status(const std::string& router) const;

 private:
  using States = std::map<std::string, Status>;  ///< by the tracker's name

  [[nodiscard]] Status status_of(const config::Tracker& tracker) const;
  /// `known` are the states before this evaluation.
  [[nodiscard]] States states_of(const config::VirtualRouter& router, const States& known) const;
  [[nodiscard]] static Verdict verdict_of(const States& states, const config::VirtualRouter& router);
  void reevaluate();

  net::Loop& loop_;
  net::Host& host_;
  OnVerdict on_verdict_;
  std::vector<config::VirtualRouter> routers_;
  std::map<std::string, Verdict> verdicts_;
  std::map<std::string, States> states_;  ///< by router
  std::unique_ptr<net::Links> links_;
  checkers::Checkers checkers_;
};

}  // namespace director
