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
          "where the probe goes: to the server's own address; or the clients' way, to the service's address on that "
          "server, with `forward` dr or tunnel",
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
           "passes when the server accepts a connection, and answers a script", "{}")
      .key("tls", whole(secured<Tcp>), with_via(tls_object(), tls_of),
           "passes when the server completes a TLS handshake", "{ min_days_left: 14 }")
      .key("http", whole(as<checkers::Http>), with_via(http_object(), as<checkers::Http>),
           "passes when the server answers a request as expected", "{ path: /health }")
      .key("https", whole(secured<checkers::Http>), with_via(https_object(), secured<checkers::Http>),
           "the same over TLS", "{ path: /health, host: www.example.com }")
      .key("udp", whole(as<checkers::Udp>), with_via(udp_object(), as<checkers::Udp>),
           "passes when a datagram is answered, or at least not refused", "{ send: ping, expect: pong }")
      .key("dns", whole(as<checkers::Dns>), with_via(dns_object(), as<checkers::Dns>),
           "passes when the server answers a question", "{ name: example.org, type: A }")
      .key("icmp", as<checkers::Icmp>, icmp_type(), "passes when the server answers a ping", "{}")
      .key("smtp", whole(as<checkers::Smtp>), with_via(smtp_object(), as<checkers::Smtp>),
           "passes when a mail server greets", "{ starttls: true }")
      .key("exec", as<checkers::Exec>, exec_type(), "passes when a program on the director says so",
           "{ command: [/usr/local/bin/check-db] }")
      .key("agent", as<checkers::Agent>, agent_type(), "the server's own word, as HAProxy's agents give it", "{}")
      .key(
          "file", [](Spec& spec) -> std::string& { return spec.kind.emplace<checkers::File>().path; },
          absolute_path("a file"), "a file on the director with an agent's line in it; passes when there is none",
          "/run/web1.state")
      .one_of({"tcp", "tls", "http", "https", "udp", "dns", "icmp", "smtp", "exec", "agent", "file"})
      .key("interval", &Spec::interval, duration<std::chrono::milliseconds>(10ms, 24h),
           "from one probe's start to the next's", "5s")
      .key("pending_interval", &Spec::pending_interval, duration<std::chrono::milliseconds>(10ms, 24h),
           "the same while a change is pending, and before the first result", "500ms")
      .when_absent("`interval`")
      .key("timeout", &Spec::timeout, duration<std::chrono::milliseconds>(1ms, 24h),
           "when an unfinished probe has failed; shorter than both intervals", "500ms")
      .key(
          "rise", [](Spec& spec) -> int& { return spec.thresholds.rise; }, integer<int>(1, 1000),
          "how many passes in a row bring a server back", "3")
      .key(
          "fall", [](Spec& spec) -> int& { return spec.thresholds.fall; }, integer<int>(1, 1000),
          "how many failures in a row take a server out", "2")
      .key("initial", &Spec::initially_up, choice<bool>({{"unknown", false}, {"up", true}}),
           "what is thought of a new server before its first probe: `unknown` gets no traffic yet", "up")
      .key("port", &Spec::port, integer<std::uint16_t>(1), "the port that is probed", "8081")
      .when_absent("the server's")
      .key(
          "address", [](Spec& spec) -> net::Address& { return spec.address.emplace(); }, address(),
          "the address that is probed", "10.0.0.70")
      .when_absent("the server's")
      .key(
          "source", [](Spec& spec) -> net::Address& { return spec.path.source.emplace(); }, address(),
          "the director's address that probes come from", "192.168.200.251")
      .when_absent("the kernel's choice")
      .key(
          "interface", [](Spec& spec) -> std::string& { return spec.path.interface; }, interface_name(),
          "the interface that probes leave by", "eth1")
      .when_absent("the kernel's choice")
      .key(
          "mark", [](Spec& spec) -> std::uint32_t& { return spec.path.mark; }, integer<std::uint32_t>(1),
          "the mark (SO_MARK) that probes carry", "7")
      .when_absent("none");
}

}  // namespace config
