// The settings of a check: those of every check, and those of its probe's kind.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "checkers/probes/dns_message.h"
#include "config/yaml/diagnostics.h"
#include "director/engine/settings.h"
#include "net/time.h"

namespace director {
namespace {

std::string text(bool value) { return value ? "true" : "false"; }

/// Bytes that a file wrote: they may be anything.
std::string bytes(const std::string& value) { return value.empty() ? "" : config::in_quotes(value); }

std::string text(const checkers::Match& match) {
  return (match.kind == checkers::Match::Kind::regex ? "regex " : "") + config::in_quotes(match.what);
}

std::string text(const std::optional<checkers::Match>& match) { return match ? text(*match) : ""; }

std::string text(const std::optional<net::Address>& address) { return address ? net::to_string(*address) : ""; }

std::string text(const std::vector<checkers::Tcp::Step>& script) {
  std::vector<std::string> steps;
  for (const auto& step : script) {
    const auto* send = std::get_if<checkers::Tcp::Send>(&step);
    steps.push_back(send != nullptr ? "send " + bytes(send->bytes) : "expect " + text(std::get<checkers::Match>(step)));
  }
  return fmt::format("{}", fmt::join(steps, ", "));
}

/// Adds the keys of one kind of probe.
struct Probe {
  KeyValues& settings;
  std::string key;  ///< "check.http"

  void add(std::string_view name, std::string value) {
    settings.push_back({fmt::format("{}.{}", key, name), std::move(value)});
  }

  void add(const std::optional<checkers::Tls>& tls) {
    if (!tls) return;
    constexpr std::string_view versions[] = {"1.0", "1.1", "1.2", "1.3"};
    add("tls.verify", text(tls->verify));
    add("tls.ca", tls->ca);
    add("tls.name", tls->name);
    add("tls.min_version", std::string(versions[static_cast<std::size_t>(tls->min_version)]));
    add("tls.min_days_left", fmt::format("{}", tls->min_days_left));
  }

  void operator()(const checkers::Tcp& tcp) {
    add("script", text(tcp.script));
    add(tcp.tls);
  }
  void operator()(const checkers::Http& http) {
    add("path", http.path);
    add("host", http.host);
    add("method", http.method);
    for (const auto& [name, value] : http.headers) add("headers." + name, bytes(value));
    add("authorization_file", http.authorization_file);
    settings.push_back({key + ".authorization", http.authorization, true});
    add("body", bytes(http.body));
    add("follow", fmt::format("{}", http.follow));
    add("expect.status", fmt::format("{}", fmt::join(http.status, ", ")));
    for (const auto& [name, match] : http.expect_headers) add("expect.headers." + name, text(match));
    add("expect.body", text(http.expect_body));
    add("expect.max_body", fmt::format("{}", http.max_body));
    add(http.tls);
  }
  void operator()(const checkers::Udp& udp) {
    add("send", bytes(udp.send));
    add("expect", text(udp.expect));
  }
  void operator()(const checkers::Dns& dns) {
    add("name", dns.name);
    add("type", fmt::format("{}", dns.type));
    add("rcode", checkers::dns::name_of_rcode(dns.rcode));
    add("address", text(dns.address));
  }
  void operator()(const checkers::Icmp& /*unused*/) {}
  void operator()(const checkers::Smtp& smtp) {
    add("helo", smtp.helo);
    add("starttls", text(smtp.starttls));
    add(smtp.tls);
  }
  void operator()(const checkers::Exec& exec) {
    add("command", fmt::format("{}", fmt::join(exec.command, " ")));
    add("user", exec.user);
    add("weight", text(exec.weight));
  }
  void operator()(const checkers::Agent& agent) { add("send", bytes(agent.send)); }
  void operator()(const checkers::File& file) { add("path", file.path); }
};

}  // namespace

void add_check(KeyValues& settings, const std::string& key, const checkers::Spec& check) {
  const std::string kind(checkers::name_of(check.kind));
  settings.push_back({key, kind});
  std::visit(Probe{.settings = settings, .key = key + "." + kind}, check.kind);
  const auto add = [&](std::string_view name, std::string value) {
    settings.push_back({fmt::format("{}.{}", key, name), std::move(value)});
  };
  add("via", check.path.via_vip ? "vip" : "server");
  add("interval", net::to_string(check.interval));
  add("pending_interval", check.pending_interval.count() == 0 ? "" : net::to_string(check.pending_interval));
  add("timeout", net::to_string(check.timeout));
  add("rise", fmt::format("{}", check.thresholds.rise));
  add("fall", fmt::format("{}", check.thresholds.fall));
  add("initial", check.initially_up ? "up" : "unknown");
  add("port", check.port == 0 ? "" : fmt::format("{}", check.port));
  add("address", text(check.address));
  add("source", text(check.path.source));
  add("interface", check.path.interface);
  add("mark", check.path.mark == 0 ? "" : fmt::format("{}", check.path.mark));
}

}  // namespace director
