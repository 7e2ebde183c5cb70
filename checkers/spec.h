#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "net/endpoint.h"

/// What the cluster file says about a check; plain values that probes and the scheduler read.
///
/// In the file a check is one kind with its options, and beside it what every check has:
///
///   check:
///     http: { path: /health }           # or tcp, tls, udp, dns, icmp, smtp, exec, agent, file
///     interval: 2s                      # from one probe's start to the next's
///     pending_interval: 500ms           # the same while a change is pending and before the first result; = interval
///     timeout: 1s                       # a hard limit over the whole probe, below both intervals
///     rise: 2
///     fall: 3
///     port: 8081                        # aim at another port of the server; address: at another machine
///     source: 192.168.200.251           # send from this address, interface: eth1 (through it), mark: 7 (SO_MARK)
///
/// The kinds' own options stand beside their structs below. TEXT is a string, or { hex: 0d0a }; MATCH is a TEXT that
/// must occur, or { regex: '...' } in RE2's syntax.
namespace checkers {

/// What must occur somewhere in what a target sends.
struct Match {
  enum class Kind : std::uint8_t {
    text,   ///< these very bytes
    regex,  ///< RE2's syntax, on bytes: '.' is any byte but a newline
  };
  std::string what;
  Kind kind = Kind::text;

  auto operator<=>(const Match&) const = default;
};

/// The most that the regular expressions of a check may cost at once, whatever a target sends: the instructions of
/// RE2's program, times the bytes that it looks at. Each takes up to 5 ns, so a tenth of a second in all; what takes
/// more than a millisecond of it is done in a thread (checkers/probes/match.h).
inline constexpr std::uint64_t regex_work_max = std::uint64_t{320} * 64 * 1024;

/// The bytes that an expression looks at at once, beside `max_body` of a body: in headers, in a datagram, and in
/// the answers to a script, where it begins anew with each of the up to 8 portions that are read.
inline constexpr std::uint64_t regex_header_bytes = 16 * 1024, regex_datagram_bytes = 64 * 1024,
                               regex_script_bytes = 96 * 1024;

/// TLS around a probe's connection. File: `tls: { ca: /etc/ssl/private-ca.pem, name: www.example.org }`.
struct Tls {
  enum class Version : std::uint8_t { tls1_0, tls1_1, tls1_2, tls1_3 };

  bool verify = true;                     ///< the chain and the name; `verify: false` takes any certificate
  std::string ca{};                       ///< PEM file of trusted issuers; empty = the system's
  std::string name{};                     ///< SNI, and the name to be verified; empty = the target's address, no SNI
  Version min_version = Version::tls1_2;  ///< `min_version: 1.2`
  int min_days_left = 0;                  ///< fails when the certificate expires sooner

  auto operator<=>(const Tls&) const = default;
};

/// The connection is made, the script said, and the connection closed again. File: `tcp: {}` or
/// `tcp: { script: [{ send: "PING\r\n" }, { expect: "+PONG" }] }`. The kind `tls: { ... }` is this with `tls` and no
/// script: the handshake is the verdict.
struct Tcp {
  struct Send {
    std::string bytes;  ///< TEXT
    auto operator<=>(const Send&) const = default;
  };
  using Step = std::variant<Send, Match>;

  std::vector<Step> script{};  ///< taken in order; a match looks only at what came after the match before it
  std::optional<Tls> tls{};

  auto operator<=>(const Tcp&) const = default;
};

/// A request over HTTP/1.1: passes when the answer is as expected (RFC 9110, RFC 9112). File:
/// `http: { method: POST, path: /health, host: www.example.org, headers: { Accept: text/plain }, body: TEXT,
///          expect: { status: [200, 204], headers: { Server: MATCH }, body: MATCH, max_body: 65536 } }`;
/// `https: { ..., tls: { ... } }` is the same over TLS, where `tls.name` is the host unless it says otherwise.
/// Redirects are answers like any other, unless `follow: N` has them followed, N at most, all within the one timeout
/// and to the target's own address alone.
struct Http {
  std::string path = "/";                  ///< request target: begins with '/', no spaces, no control characters
  std::string host{};                      ///< Host header; empty = the target's address
  std::set<std::uint16_t> status = {200};  ///< 100..599, never empty

  std::string method = "GET";                     ///< a token; the answer to a HEAD has no body
  std::map<std::string, std::string> headers{};   ///< further request headers; names are tokens, values one line
  std::string authorization_file{};               ///< where `authorization` is read from; empty = nowhere
  std::string authorization{};                    ///< the Authorization header's line, a secret; empty = none
  std::string body{};                             ///< sent with its Content-Length where not empty
  std::map<std::string, Match> expect_headers{};  ///< any field of that name must match; names in lower case
  std::optional<Match> expect_body{};             ///< in the first `max_body` bytes, chunked coding undone
  std::uint32_t max_body = 64 * 1024;             ///< 1..16 MiB
  std::optional<Tls> tls{};
  int follow = 0;  ///< redirects that are followed; 0..10

  auto operator<=>(const Http&) const = default;
};

/// A datagram is sent. With `expect` it must be answered; without, silence until the timeout passes and only an ICMP
/// refusal fails. File: `udp: { send: TEXT, expect: MATCH }`.
struct Udp {
  std::string send;
  std::optional<Match> expect{};

  auto operator<=>(const Udp&) const = default;
};

/// A question to a DNS server over UDP (RFC 1035). File: `dns: { name: example.org, type: A, rcode: NOERROR,
/// address: 192.0.2.1 }`.
struct Dns {
  std::string name = ".";                 ///< without or with the last dot; labels of 1..63 bytes, 253 in all
  std::uint16_t type = 6;                 ///< A 1, NS 2, SOA 6, MX 15, TXT 16, AAAA 28 ...
  std::uint8_t rcode = 0;                 ///< the response code that is expected: NOERROR 0, NXDOMAIN 3 ...
  std::optional<net::Address> address{};  ///< that must be among the answers' A or AAAA records

  auto operator<=>(const Dns&) const = default;
};

/// An ICMP or ICMPv6 echo that must be answered. File: `icmp: {}`.
struct Icmp {
  auto operator<=>(const Icmp&) const = default;
};

/// The greeting of a mail server, EHLO, with `starttls` also TLS, and QUIT (RFC 5321, RFC 3207). File:
/// `smtp: { helo: lb1.example.org, starttls: true, tls: { ... } }`.
struct Smtp {
  std::string helo = "directord";  ///< one word
  bool starttls = false;
  std::optional<Tls> tls{};  ///< with starttls, how; without, TLS from the first byte

  auto operator<=>(const Smtp&) const = default;
};

/// A program: passes with exit status 0. It runs with a clean environment (PATH, CHECK_ADDRESS, CHECK_PORT) in its own
/// process group, all of which is killed at the deadline, as an unprivileged user. File:
/// `exec: { command: [/usr/local/bin/check-db, --fast], user: nobody, weight: true }`.
struct Exec {
  std::vector<std::string> command;  ///< an absolute path and its arguments
  std::string user = "nobody";       ///< ignored where directord does not run as root
  bool weight = false;               ///< exit status 2..255 passes too, and sets the weight to that minus 2

  auto operator<=>(const Exec&) const = default;
};

/// The server's own report, in the language of HAProxy's agent checks: one line of "75%", "up", "down", "drain",
/// "maint", "ready", "stopped", "fail" and "# why". File: `agent: { send: TEXT }`.
struct Agent {
  std::string send{};  ///< before reading; usually nothing

  auto operator<=>(const Agent&) const = default;
};

/// A local file with an agent's line in it, or a weight; read at once when it changes (inotify). No such file passes.
/// File: `file: /run/web1.state`.
struct File {
  std::string path;

  auto operator<=>(const File&) const = default;
};

using Kind = std::variant<Tcp, Http, Udp, Dns, Icmp, Smtp, Exec, Agent, File>;

/// How many consecutive results against the current state change it; both at least 1.
struct Thresholds {
  int rise = 2;
  int fall = 3;

  auto operator<=>(const Thresholds&) const = default;
};

/// How a probe's packets leave this machine.
struct Path {
  std::optional<net::Address> source{};
  std::string interface{};  ///< SO_BINDTODEVICE
  std::uint32_t mark = 0;   ///< SO_MARK; 0 = none
  /// `via: vip`: the probe goes the clients' way, to the virtual address on that one server. The director finds the
  /// way and aims the check (Key::mark); of itself this says nothing to a probe.
  bool via_vip = false;

  auto operator<=>(const Path&) const = default;
};

/// One check, wherever it is aimed.
struct Spec {
  Kind kind = Tcp{};
  std::chrono::milliseconds interval{2000};  ///< from one probe's start to the next's
  std::chrono::milliseconds timeout{1000};   ///< hard deadline over the whole probe; below the intervals
  Thresholds thresholds{};
  bool initially_up = false;                      ///< `initial: up`: up until it fails, from the start
  std::chrono::milliseconds pending_interval{0};  ///< while a change is pending or nothing is known; 0 = `interval`
  std::optional<net::Address> address{};          ///< probe this instead of the server's address ...
  std::uint16_t port = 0;                         ///< ... and this instead of its port; 0 = its port
  Path path{};

  auto operator<=>(const Spec&) const = default;
};

/// How several checks of one server are one.
enum class Combine : std::uint8_t {
  all,  ///< up when every check is up
  any,  ///< up when one is
};

/// What names a check: services that ask the same of the same target share one.
struct Key {
  net::Endpoint target;
  Spec spec;
  std::uint32_t mark = 0;  ///< SO_MARK instead of the path's: what leads this probe to one server among several

  auto operator<=>(const Key&) const = default;
};

[[nodiscard]] std::size_t hash_of(const net::Endpoint& target, std::uint32_t mark);

/// By target and mark: few keys differ in their spec alone.
struct KeyHash {
  [[nodiscard]] std::size_t operator()(const Key& key) const { return hash_of(key.target, key.mark); }
};

/// The check of a server: aimed where the spec's override says, and without it, so that equal probes have equal keys.
[[nodiscard]] Key make_key(const Spec& spec, const net::Endpoint& server);

/// "http 192.168.200.11:80/health", "tcp [2001:db8::7]:25", "tcp 192.0.2.1:80 mark 7".
[[nodiscard]] std::string to_string(const Key& key);

/// The kind's name in the cluster file: "tcp", "tls", "http", "https", "udp" ...
[[nodiscard]] std::string_view name_of(const Kind& kind);

}  // namespace checkers
