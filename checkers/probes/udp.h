#pragma once

#include <optional>
#include <utility>

#include "checkers/probe.h"
#include "checkers/probes/match.h"

namespace checkers {

/// A udp check made ready.
struct UdpPlan {
  std::string send;
  std::optional<Matcher> expect;

  [[nodiscard]] static net::Result<UdpPlan> prepare(const Udp& spec);
};

/// One datagram out. Where an answer is expected, each that comes back is looked at whole, and one that does not match
/// fails; where none is, only silence until the timeout passes, or any answer at all.
class UdpExchange final : public Exchange {
 public:
  /// `plan` must outlive the exchange.
  UdpExchange(const net::Endpoint& target, const UdpPlan& plan) : target_(target), plan_(plan) {}

  std::string question() override { return plan_.send; }
  std::optional<Result> receive(std::string_view datagram) override;
  [[nodiscard]] SlowWork take_slow_work() override { return std::exchange(work_, nullptr); }
  [[nodiscard]] std::string doing() const override;
  [[nodiscard]] Result timed_out(net::Duration timeout) const override;

 private:
  [[nodiscard]] Result judge(bool matches, std::string_view datagram) const;

  net::Endpoint target_;
  const UdpPlan& plan_;
  SlowWork work_;
};

}  // namespace checkers
