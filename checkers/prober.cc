#include <fmt/format.h>
#include <sys/random.h>

#include <random>
#include <type_traits>

#include "checkers/late_prober.h"
#include "checkers/probe.h"
#include "checkers/probes/agent.h"
#include "checkers/probes/datagram.h"
#include "checkers/probes/dns.h"
#include "checkers/probes/exec.h"
#include "checkers/probes/file.h"
#include "checkers/probes/http.h"
#include "checkers/probes/http_run.h"
#include "checkers/probes/icmp.h"
#include "checkers/probes/smtp.h"
#include "checkers/probes/socket.h"
#include "checkers/probes/stream.h"
#include "checkers/probes/tcp.h"
#include "checkers/probes/tls.h"
#include "checkers/probes/udp.h"

namespace checkers {
namespace {

using MadeProber = net::Result<std::unique_ptr<Prober>>;

std::uint64_t random_token() {
  std::uint64_t value = 0;
  if (getrandom(&value, sizeof value, GRND_NONBLOCK) != sizeof value) value = std::random_device{}();
  return value;
}

/// Conversations of one kind over TCP, or over TLS over TCP.
template <class Conversing, class Plan>
class StreamProber final : public Prober {
 public:
  StreamProber(Path path, Plan plan, std::optional<TlsContext> tls)
      : path_(std::move(path)), plan_(std::move(plan)), tls_(std::move(tls)) {}

  StartedProbe start(net::Loop& loop, const net::Endpoint& target, std::uint32_t mark,
                     ProbeRun::OnDone on_done) const override {
    std::unique_ptr<Conversation> conversation = std::make_unique<Conversing>(target, plan_);
    if (tls_) conversation = tls_->wrap(target, std::move(conversation), mark);
    return start_stream(loop, path_, mark, target, std::move(conversation), std::move(on_done));
  }

 private:
  Path path_;
  Plan plan_;
  std::optional<TlsContext> tls_;
};

/// Only the TLS handshake.
class HandshakeProber final : public Prober {
 public:
  HandshakeProber(Path path, TlsContext tls) : path_(std::move(path)), tls_(std::move(tls)) {}

  StartedProbe start(net::Loop& loop, const net::Endpoint& target, std::uint32_t mark,
                     ProbeRun::OnDone on_done) const override {
    return start_stream(loop, path_, mark, target, tls_.wrap(target, nullptr, mark), std::move(on_done));
  }

 private:
  Path path_;
  TlsContext tls_;
};

/// HTTP, where redirects are followed.
class FollowingProber final : public Prober {
 public:
  FollowingProber(Path path, HttpPlan plan, TlsContext tls)
      : path_(std::move(path)), plan_(std::move(plan)), tls_(std::move(tls)) {}

  StartedProbe start(net::Loop& loop, const net::Endpoint& target, std::uint32_t mark,
                     ProbeRun::OnDone on_done) const override {
    return start_http(loop, path_, mark, target, plan_, tls_, std::move(on_done));
  }

 private:
  Path path_;
  HttpPlan plan_;
  TlsContext tls_;
};

/// Exchanges of one kind over UDP.
template <class Exchanging, class Plan>
class UdpProber final : public Prober {
 public:
  UdpProber(Path path, Plan plan) : path_(std::move(path)), plan_(std::move(plan)) {}

  StartedProbe start(net::Loop& loop, const net::Endpoint& target, std::uint32_t mark,
                     ProbeRun::OnDone on_done) const override {
    std::unique_ptr<Exchange> exchange;
    if constexpr (std::is_same_v<Exchanging, DnsExchange>) {
      exchange = std::make_unique<Exchanging>(target, plan_, static_cast<std::uint16_t>(random_token()));
    } else {
      exchange = std::make_unique<Exchanging>(target, plan_);
    }
    return start_datagram(loop, connect_datagram(path_, mark, target), std::move(exchange), std::move(on_done));
  }

 private:
  Path path_;
  Plan plan_;
};

class EchoProber final : public Prober {
 public:
  explicit EchoProber(Path path) : path_(std::move(path)) {}

  StartedProbe start(net::Loop& loop, const net::Endpoint& target, std::uint32_t mark,
                     ProbeRun::OnDone on_done) const override {
    return start_datagram(loop, connect_echo(path_, mark, target.address),
                          std::make_unique<EchoExchange>(target.address, random_token()), std::move(on_done));
  }

 private:
  Path path_;
};

class ExecProber final : public Prober {
 public:
  explicit ExecProber(ExecPlan plan) : plan_(std::move(plan)) {}

  StartedProbe start(net::Loop& loop, const net::Endpoint& target, std::uint32_t,
                     ProbeRun::OnDone on_done) const override {
    return start_exec(loop, plan_, target, std::move(on_done));
  }

 private:
  ExecPlan plan_;
};

class FileProber final : public Prober {
 public:
  explicit FileProber(File spec) : spec_(std::move(spec)) {}

  StartedProbe start(net::Loop& loop, const net::Endpoint&, std::uint32_t, ProbeRun::OnDone on_done) const override {
    return start_file(loop, spec_, std::move(on_done));
  }

 private:
  File spec_;
};

/// The host of a Host header, where it is a name and not an address.
std::string host_name(const std::string& host) {
  const auto name = host.substr(0, host.find(':'));
  return net::Address::parse(name) || name.starts_with('[') ? "" : name;
}

struct Make {
  const Spec& spec;

  using Made = MadeProber;

  Made operator()(const Tcp& tcp) const {
    if (!tcp.tls || !tcp.script.empty()) return stream<TcpConversation>(TcpScript::prepare(tcp), tcp.tls);
    auto context = TlsContext::prepare(*tcp.tls, "");
    if (!context) return std::unexpected(context.error());
    return std::make_unique<HandshakeProber>(spec.path, std::move(*context));
  }
  Made operator()(const Http& http) const {
    if (http.follow > 0) return following(http);
    return stream<HttpConversation>(HttpPlan::prepare(http), http.tls, host_name(http.host));
  }
  Made operator()(const Smtp& smtp) const {
    return stream<SmtpConversation>(SmtpPlan::prepare(smtp), smtp.starttls ? std::nullopt : smtp.tls);
  }
  Made operator()(const Agent& agent) const {
    return stream<AgentConversation>(net::Result<Agent>(agent), std::nullopt);
  }
  Made operator()(const Udp& udp) const {
    auto plan = UdpPlan::prepare(udp);
    if (!plan) return std::unexpected(plan.error());
    return std::make_unique<UdpProber<UdpExchange, UdpPlan>>(spec.path, std::move(*plan));
  }
  Made operator()(const Dns& dns) const { return std::make_unique<UdpProber<DnsExchange, Dns>>(spec.path, dns); }
  Made operator()(const Icmp&) const { return std::make_unique<EchoProber>(spec.path); }
  Made operator()(const Exec& exec) const {
    auto plan = ExecPlan::prepare(exec);
    if (!plan) return std::unexpected(plan.error());
    return std::make_unique<ExecProber>(std::move(*plan));
  }
  Made operator()(const File& file) const { return std::make_unique<FileProber>(file); }

  [[nodiscard]] Made following(const Http& http) const {
    auto plan = HttpPlan::prepare(http);
    if (!plan) return std::unexpected(plan.error());
    auto tls = TlsContext::prepare(http.tls.value_or(Tls{}), host_name(http.host));
    if (!tls) return std::unexpected(tls.error());
    return std::make_unique<FollowingProber>(spec.path, std::move(*plan), std::move(*tls));
  }

  template <class Conversing, class Plan>
  Made stream(net::Result<Plan> plan, const std::optional<Tls>& tls, const std::string& name = "") const {
    if (!plan) return std::unexpected(plan.error());
    std::optional<TlsContext> context;
    if (tls) {
      auto prepared = TlsContext::prepare(*tls, name);
      if (!prepared) return std::unexpected(prepared.error());
      context = std::move(*prepared);
    }
    return std::make_unique<StreamProber<Conversing, Plan>>(spec.path, std::move(*plan), std::move(context));
  }
};

MadeProber try_to_make(const Spec& spec) { return std::visit(Make{spec}, spec.kind); }

/// Whether making a prober reads a file (the CAs) or the user database.
bool waits_for_host(const Kind& kind) {
  const auto reads = [](const std::optional<Tls>& tls) { return tls && tls->verify; };
  if (const auto* tcp = std::get_if<Tcp>(&kind)) return reads(tcp->tls);
  if (const auto* http = std::get_if<Http>(&kind)) return http->follow > 0 || reads(http->tls);
  if (const auto* smtp = std::get_if<Smtp>(&kind)) return reads(smtp->starttls ? smtp->tls.value_or(Tls{}) : smtp->tls);
  return std::holds_alternative<Exec>(kind);
}

}  // namespace

std::unique_ptr<Prober> make_prober(const Spec& spec) {
  if (!waits_for_host(spec.kind)) {
    if (auto made = try_to_make(spec)) return std::move(*made);
  }
  return std::make_unique<LateProber>(std::string(name_of(spec.kind)), [spec] { return try_to_make(spec); });
}

}  // namespace checkers
