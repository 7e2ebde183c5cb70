#include "checkers/probes/udp.h"

#include <fmt/format.h>

#include "checkers/text.h"

namespace checkers {

net::Result<UdpPlan> UdpPlan::prepare(const Udp& spec) {
  UdpPlan plan{.send = spec.send, .expect = {}};
  if (!spec.expect) return plan;
  auto matcher = Matcher::prepare(*spec.expect, regex_datagram_bytes);
  if (!matcher) return std::unexpected(matcher.error());
  plan.expect = std::move(*matcher);
  return plan;
}

std::optional<Result> UdpExchange::receive(std::string_view datagram) {
  if (!plan_.expect) return passed(doing(), "answered");
  if (LoopAllowance().take(plan_.expect->work(datagram.size()))) {
    return judge(plan_.expect->find(datagram).has_value(), datagram);
  }
  work_ = [this, search = SlowSearch{.match = plan_.expect->match(), .text = std::string(datagram)}]() -> Proceed {
    const bool matches = search.run().has_value();
    return [this, matches, text = search.text](std::string&) { return judge(matches, text); };
  };
  return std::nullopt;
}

Result UdpExchange::judge(bool matches, std::string_view datagram) const {
  if (matches) return passed(doing(), "answered as expected");
  return failed(doing(), fmt::format("answered {}, expected {}", quote(datagram), plan_.expect->describe()));
}

std::string UdpExchange::doing() const { return fmt::format("udp {}", to_string(target_)); }

Result UdpExchange::timed_out(net::Duration timeout) const {
  if (plan_.expect) return Exchange::timed_out(timeout);
  return passed(doing(), fmt::format("not refused within {}", format_duration(timeout)));
}

}  // namespace checkers
