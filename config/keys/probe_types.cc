#include "config/keys/probe_types.h"

#include "config/schema/bytes_type.h"
#include "config/schema/values.h"

namespace config {
namespace {

using checkers::Dns;
using checkers::Exec;
using checkers::Smtp;
using checkers::Tcp;
using checkers::Tls;
using checkers::Udp;

Type<Tcp::Step> step() {
  return Object<Tcp::Step>("script step")
      .key(
          "send", [](Tcp::Step& step) -> std::string& { return step.emplace<Tcp::Send>().bytes; }, bytes(),
          "bytes to send", R"("PING\r\n")")
      .key(
          "expect", [](Tcp::Step& step) -> checkers::Match& { return step.emplace<checkers::Match>(); }, match(),
          "bytes that must arrive, after those that matched the step before", "+PONG")
      .one_of({"send", "expect"})
      .type();
}

/// A domain name, with or without the last dot (RFC 1035 section 2.3.4).
std::expected<std::string, std::string> parse_domain(std::string_view text) {
  if (text == ".") return ".";
  auto rest = text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
  if (rest.empty() || rest.size() > 253) return std::unexpected("; it has at most 253 characters");
  while (true) {
    const auto label = rest.substr(0, rest.find('.'));
    if (label.empty() || label.size() > 63) return std::unexpected("; each part between dots has 1 to 63 characters");
    for (const char c : label) {
      if (c <= ' ' || c > '~') return std::unexpected("");
    }
    if (label.size() == rest.size()) return std::string(text);
    rest.remove_prefix(label.size() + 1);
  }
}

Type<std::string> domain() {
  auto type = scalar<std::string>({.expected = "a domain name", .pattern = "^[!-~]+$"}, parse_domain);
  type.show = [](const std::string& text) { return text; };
  return type;
}

}  // namespace

Object<Tls> tls_object() {
  using enum Tls::Version;
  return Object<Tls>("tls")
      .key("verify", &Tls::verify, boolean(), "whether the certificate's chain and name are verified", "false")
      .key("ca", &Tls::ca, absolute_path("a PEM file"), "file with the trusted CA certificates",
           "/etc/ssl/private-ca.pem")
      .when_absent("the system's CA certificates")
      .key("name", &Tls::name, word("a host name"), "server name to request (SNI) and to verify", "www.example.com")
      .when_absent("the `host`, or else the server's address")
      .key("min_version", &Tls::min_version,
           choice<Tls::Version>({{"1.0", tls1_0}, {"1.1", tls1_1}, {"1.2", tls1_2}, {"1.3", tls1_3}}),
           "the oldest version of TLS that passes", "1.3")
      .key("min_days_left", &Tls::min_days_left, integer<int>(0, 3650),
           "minimum number of days until the certificate expires; with fewer, the probe fails", "14");
}

Object<Tcp> tcp_object() {
  return Object<Tcp>("tcp probe")
      .key("script", &Tcp::script, list(step(), "one or more steps", 1),
           "send and expect steps on the connection, in this order", R"([{ send: "PING\r\n" }, { expect: +PONG }])")
      .when_absent("none: an accepted connection is enough");
}

Object<Udp> udp_object() {
  return Object<Udp>("udp probe")
      .key("send", &Udp::send, bytes(), "content of the datagram", "ping")
      .when_absent("an empty datagram")
      .key(
          "expect", [](Udp& udp) -> checkers::Match& { return udp.expect.emplace(); }, match(),
          "required content of the answer", "pong")
      .when_absent("none: no answer is needed, only a refused datagram fails");
}

Object<Dns> dns_object() {
  return Object<Dns>("dns probe")
      .key("name", &Dns::name, domain(), "domain name to query", "example.org")
      .key("type", &Dns::type,
           choice<std::uint16_t>({{"A", 1},
                                  {"NS", 2},
                                  {"CNAME", 5},
                                  {"SOA", 6},
                                  {"PTR", 12},
                                  {"MX", 15},
                                  {"TXT", 16},
                                  {"AAAA", 28},
                                  {"SRV", 33}}),
           "record type to query", "AAAA")
      .key("rcode", &Dns::rcode,
           choice<std::uint8_t>(
               {{"NOERROR", 0}, {"FORMERR", 1}, {"SERVFAIL", 2}, {"NXDOMAIN", 3}, {"NOTIMP", 4}, {"REFUSED", 5}}),
           "the response code that passes", "NXDOMAIN")
      .key(
          "address", [](Dns& dns) -> net::Address& { return dns.address.emplace(); }, address(),
          "address that must be among the answers", "192.0.2.1")
      .when_absent("any answer passes");
}

Type<checkers::Icmp> icmp_type() { return Object<checkers::Icmp>("icmp probe").type(); }

Object<Smtp> smtp_object() {
  return Object<Smtp>("smtp probe")
      .key("helo", &Smtp::helo, word("a host name"), "host name to send in EHLO or HELO", "lb1.example.com")
      .key("starttls", &Smtp::starttls, boolean(), "whether the server must accept STARTTLS", "true")
      .key(
          "tls", [](Smtp& smtp) -> Tls& { return smtp.tls.emplace(); }, tls_object().type(),
          "TLS settings; without `starttls`, TLS from the start of the connection", "{ name: mail.example.com }")
      .when_absent("no TLS; with `starttls`, a verified certificate");
}

Type<Exec> exec_type() {
  auto argument = scalar<std::string>(or_number({.expected = "text"}),
                                      [](std::string_view text) -> std::expected<std::string, std::string> {
                                        if (text.find('\0') != std::string_view::npos) return std::unexpected("");
                                        return std::string(text);
                                      });
  auto command = list(std::move(argument), "a program's absolute path and its arguments", 1);
  command.read = [read = std::move(command.read), expected = command.shape.expected](
                     Reader& reader, const YamlNode& node, std::vector<std::string>& words) {
    read(reader, node, words);
    if (reader.failed(node) || words.front().starts_with('/')) return;
    reader.refuse(*node.entries.front().value, "the absolute path of a program");
  };
  return Object<Exec>("exec probe")
      .key("command", &Exec::command, std::move(command),
           "program and its arguments; passes with exit status 0; the environment variables CHECK_ADDRESS and "
           "CHECK_PORT contain the server's address and port",
           "[/usr/local/bin/check-db, --fast]")
      .required()
      .key("user", &Exec::user, word("a user's name"), "user that the program runs as", "directord")
      .key("weight", &Exec::weight, boolean(),
           "whether an exit status from 2 to 255 passes and sets the server's weight to the status minus 2", "true")
      .type();
}

Type<checkers::Agent> agent_type() {
  return Object<checkers::Agent>("agent probe")
      .key("send", &checkers::Agent::send, bytes(), "bytes to send before the agent's line is read", "'web1\\n'")
      .when_absent("nothing")
      .type();
}

}  // namespace config
