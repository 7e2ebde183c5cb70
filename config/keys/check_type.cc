#include "config/keys/check_type.h"

#include "config/keys/probe_types.h"
#include "config/schema/bytes_type.h"
#include "config/schema/values.h"

namespace config {
namespace {

using checkers::Spec;
using namespace std::chrono_literals;

/// A member that makes the spec one of this kind.
template <class Kind>
constexpr auto as = [](Spec& spec) -> Kind& {
  auto* held = std::get_if<Kind>(&spec.kind);
  return held != nullptr ? *held : spec.kind.emplace<Kind>();
};

/// Of a kind with TLS around it.
template <class Kind>
constexpr auto secured = [](Spec& spec) -> Kind& {
  auto& kind = as<Kind>(spec);
  if (!kind.tls) kind.tls.emplace();
  return kind;
};

/// A kind's own keys, and `via`.
template <class Kind, class Part>
Type<Spec> with_via(Object<Kind> object, Part part) {
  return std::move(object)
      .template in<Spec>(part)
      .key(
          "via", [](Spec& spec) -> bool& { return spec.path.via_vip; },
          choice<bool>({{"server", false}, {"vip", true}}),
          "target of the probe: the server's own address, or the service's virtual address on that server (VIP check, "
          "with `forward` dr or tunnel only)",
          "vip")
      .type();
}

/// The whole spec, once it is of the kind.
template <class Part>
auto whole(Part part) {
  return [part](Spec& spec) -> Spec& {
    part(spec);
    return spec;
  };
}

}  // namespace

Object<Spec> check_object() {
  using checkers::Tcp;
  constexpr auto tls_of = [](Spec& spec) -> checkers::Tls& { return *secured<Tcp>(spec).tls; };
  return Object<Spec>("check")
      .key("tcp", whole(as<Tcp>), with_via(tcp_object(), as<Tcp>),
           "TCP probe: passes when the server accepts a connection and, with a `script`, answers as expected", "{}")
      .key("tls", whole(secured<Tcp>), with_via(tls_object(), tls_of),
           "TLS probe: passes when the server completes a TLS handshake", "{ min_days_left: 14 }")
      .key("http", whole(as<checkers::Http>), with_via(http_object(), as<checkers::Http>),
           "HTTP probe: passes when the server answers a request as expected", "{ path: /health }")
      .key("https", whole(secured<checkers::Http>), with_via(https_object(), secured<checkers::Http>),
           "HTTP probe over TLS", "{ path: /health, host: www.example.com }")
      .key("udp", whole(as<checkers::Udp>), with_via(udp_object(), as<checkers::Udp>),
           "UDP probe: passes when the server answers as expected or, without `expect`, does not refuse the datagram",
           "{ send: ping, expect: pong }")
      .key("dns", whole(as<checkers::Dns>), with_via(dns_object(), as<checkers::Dns>),
           "DNS probe: passes when the server answers a query", "{ name: example.org, type: A }")
      .key("icmp", as<checkers::Icmp>, icmp_type(), "ICMP probe: passes when the server answers an echo request (ping)",
           "{}")
      .key("smtp", whole(as<checkers::Smtp>), with_via(smtp_object(), as<checkers::Smtp>),
           "SMTP probe: passes when the mail server sends its greeting and accepts EHLO or HELO", "{ starttls: true }")
      .key("exec", as<checkers::Exec>, exec_type(), "program on the director; passes when it exits with status 0",
           "{ command: [/usr/local/bin/check-db] }")
      .key("agent", as<checkers::Agent>, agent_type(),
           "agent probe: reads state and weight from an agent on the server, in the format of HAProxy's agent-check",
           "{}")
      .key(
          "file", [](Spec& spec) -> std::string& { return spec.kind.emplace<checkers::File>().path; },
          absolute_path("a file"),
          "file on the director with a line in the format of an agent; passes when the file does not exist",
          "/run/web1.state")
      .one_of({"tcp", "tls", "http", "https", "udp", "dns", "icmp", "smtp", "exec", "agent", "file"})
      .key("interval", &Spec::interval, duration<std::chrono::milliseconds>(10ms, 24h),
           "time from the start of one probe to the start of the next", "5s")
      .key("pending_interval", &Spec::pending_interval, duration<std::chrono::milliseconds>(10ms, 24h),
           "interval while a change between up and down is pending, and before the first result", "500ms")
      .when_absent("`interval`")
      .key("timeout", &Spec::timeout, duration<std::chrono::milliseconds>(1ms, 24h),
           "time after which an unfinished probe has failed; must be shorter than both intervals", "500ms")
      .key(
          "rise", [](Spec& spec) -> int& { return spec.thresholds.rise; }, integer<int>(1, 1000),
          "number of consecutive passes before the server is put back", "3")
      .key(
          "fall", [](Spec& spec) -> int& { return spec.thresholds.fall; }, integer<int>(1, 1000),
          "number of consecutive failures before the server is taken out", "2")
      .key("initial", &Spec::initially_up, choice<bool>({{"unknown", false}, {"up", true}}),
           "state of a new server before its first result; a server in state `unknown` gets no traffic", "up")
      .key("port", &Spec::port, integer<std::uint16_t>(1), "port to probe", "8081")
      .when_absent("the server's")
      .key(
          "address", [](Spec& spec) -> net::Address& { return spec.address.emplace(); }, address(), "address to probe",
          "10.0.0.70")
      .when_absent("the server's")
      .key(
          "source", [](Spec& spec) -> net::Address& { return spec.path.source.emplace(); }, address(),
          "source address of the probes, one of the director's own", "192.168.200.251")
      .when_absent("the kernel's choice")
      .key(
          "interface", [](Spec& spec) -> std::string& { return spec.path.interface; }, interface_name(),
          "outgoing interface of the probes", "eth1")
      .when_absent("the kernel's choice")
      .key(
          "mark", [](Spec& spec) -> std::uint32_t& { return spec.path.mark; }, integer<std::uint32_t>(1),
          "firewall mark (SO_MARK) of the probes", "7")
      .when_absent("none");
}

}  // namespace config
