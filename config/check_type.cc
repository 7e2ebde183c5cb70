#include "config/check_type.h"

#include "config/bytes_type.h"
#include "config/probe_types.h"
#include "config/values.h"

namespace config {
namespace {

using checkers::Spec;
using namespace std::chrono_literals;

/// A member that makes the spec one of this kind.
template <class Kind>
constexpr auto as = [](Spec& spec) -> Kind& { return spec.kind.emplace<Kind>(); };

}  // namespace

Object<Spec> check_object() {
  using checkers::Tcp;
  return Object<Spec>("check")
      .key("tcp", as<Tcp>, tcp_type(), "passes when the server accepts a connection, and answers a script", "{}")
      .key(
          "tls", [](Spec& spec) -> checkers::Tls& { return spec.kind.emplace<Tcp>().tls.emplace(); }, tls_type(),
          "passes when the server completes a TLS handshake", "{ min_days_left: 14 }")
      .key("http", as<checkers::Http>, http_type(), "passes when the server answers a request as expected",
           "{ path: /health }")
      .key("https", as<checkers::Http>, https_type(), "the same over TLS", "{ path: /health, host: www.example.com }")
      .key("udp", as<checkers::Udp>, udp_type(), "passes when a datagram is answered, or at least not refused",
           "{ send: ping, expect: pong }")
      .key("dns", as<checkers::Dns>, dns_type(), "passes when the server answers a question",
           "{ name: example.org, type: A }")
      .key("icmp", as<checkers::Icmp>, icmp_type(), "passes when the server answers a ping", "{}")
      .key("smtp", as<checkers::Smtp>, smtp_type(), "passes when a mail server greets", "{ starttls: true }")
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
