#pragma once

#include "checkers/probe.h"
#include "checkers/probes/dns_message.h"

namespace checkers {

/// One DNS question over UDP. What does not answer it is ignored; what does is judged by response code and addresses.
class DnsExchange final : public Exchange {
 public:
  /// `spec` must outlive the exchange. `id` should be hard to guess.
  DnsExchange(const net::Endpoint& target, const Dns& spec, std::uint16_t id)
      : target_(target), spec_(spec), question_{.id = id, .name = spec.name, .type = spec.type} {}

  std::string question() override { return dns::pack(question_); }
  std::optional<Result> receive(std::string_view datagram) override;
  [[nodiscard]] std::string doing() const override;

 private:
  net::Endpoint target_;
  const Dns& spec_;
  dns::Question question_;
};

}  // namespace checkers
