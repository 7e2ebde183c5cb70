#include "config/schema/other_tools.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/ascii.h"

namespace config {
namespace {

struct Key {
  std::string_view word;
  std::string_view tool;       ///< empty: a key of the cluster file
  std::string_view here;       ///< directord's key in quotes, and what it is a key of
  std::string_view noun = {};  ///< only in an object called so; empty: in any
};

constexpr std::string_view keepalived = "keepalived";
constexpr std::string_view ldirectord = "ldirectord";

constexpr Key keys[] = {
    {"port", "", "a server's port is part of its 'address', as in 10.0.0.7:8080", "server"},
    {"port", "",
     "the service's own port is part of 'listen', as in 192.0.2.10:80; a probe's is 'port' inside 'check', and 'hash' "
     "and 'tunnel' have one too",
     "service"},
    {"address", "", "the service's address is part of 'listen', as in 192.0.2.10:80", "service"},
    {"protocol", "", "the protocol is part of 'listen', as in udp://192.0.2.10:53", "service"},
    {"weight", "", "'weight' is a key of each server, and of 'server' in 'defaults'", "service"},
    {"tls", "", "use 'https' instead of 'http', with 'tls' inside it", "http probe"},

    {"virtual_server", keepalived, "an entry of 'services', with its address in 'listen'"},
    {"virtual_server_group", keepalived, "an entry of 'services' for each address, with the address in 'listen'"},
    {"real_server", keepalived, "an entry of 'servers' of a service"},
    {"sorry_server", keepalived, "'fallback' of a service"},
    {"lb_algo", keepalived, "'scheduler' of a service"},
    {"lvs_sched", keepalived, "'scheduler' of a service"},
    {"lb_kind", keepalived, "'forward' of a service"},
    {"lvs_method", keepalived, "'forward' of a service"},
    {"delay_loop", keepalived, "'interval' of a check"},
    {"persistence_timeout", keepalived, "'persistence' of a service"},
    {"persistence_granularity", keepalived, "'persistence_mask' of a service"},
    {"ops", keepalived, "'one_packet' of a service"},
    {"sh-port", keepalived, "'hash: { port: true }' of a service"},
    {"mh-port", keepalived, "'hash: { port: true }' of a service"},
    {"sh-fallback", keepalived, "'hash: { fallback: true }' of a service"},
    {"mh-fallback", keepalived, "'hash: { fallback: true }' of a service"},
    {"hysteresis", keepalived, "'regain' in 'quorum' of a service"},
    {"inhibit_on_failure", keepalived, "'on_failure: drain' of a service"},
    {"uthreshold", keepalived, "'upper_threshold' of a server"},
    {"lthreshold", keepalived, "'lower_threshold' of a server"},
    {"alpha", keepalived, "'initial: unknown' of a check"},
    {"http_get", keepalived, "'http' of a check"},
    {"ssl_get", keepalived, "'https' of a check"},
    {"tcp_check", keepalived, "'tcp' of a check"},
    {"udp_check", keepalived, "'udp' of a check"},
    {"dns_check", keepalived, "'dns' of a check"},
    {"ping_check", keepalived, "'icmp' of a check"},
    {"smtp_check", keepalived, "'smtp' of a check"},
    {"misc_check", keepalived, "'exec' of a check"},
    {"misc_path", keepalived, "'command' of an exec probe"},
    {"misc_dynamic", keepalived, "'weight' of an exec probe"},
    {"connect_timeout", keepalived, "'timeout' of a check"},
    {"connect_port", keepalived, "'port' of a check"},
    {"connect_ip", keepalived, "'address' of a check"},
    {"bindto", keepalived, "'source' of a check"},
    {"retry", keepalived, "'fall' of a check"},
    {"nb_get_retry", keepalived, "'fall' of a check"},
    {"delay_before_retry", keepalived, "'pending_interval' of a check"},
    {"status_code", keepalived, "'status' in 'expect' of an http probe"},
    {"vrrp_instance", keepalived, "an entry of 'vrrp'"},
    {"vrrp_sync_group", keepalived, "an entry of 'groups'"},
    {"vrrp_script", keepalived, "an entry of 'track' of a virtual router"},
    {"lvs_sync_daemon", keepalived, "'connection_sync'"},
    {"virtual_router_id", keepalived, "'router_id' of a virtual router"},
    {"virtual_ipaddress", keepalived, "'addresses' of a virtual router"},
    {"virtual_ipaddress_excluded", keepalived, "'addresses' of a virtual router of the other family"},
    {"virtual_routes", keepalived, "'routes' of a virtual router"},
    {"advert_int", keepalived, "'advertise' of a virtual router, with a unit as in 1s"},
    {"state", keepalived, "'priority' of the node, or of a virtual router"},
    {"nopreempt", keepalived, "'preempt: false' of a virtual router"},
    {"preempt_delay", keepalived, "'preempt: 30s' of a virtual router"},
    {"use_vmac", keepalived, "'mac: virtual' of a virtual router"},
    {"unicast_peer", keepalived, "'unicast: true' of a virtual router; the peers are the 'nodes'"},
    {"unicast_src_ip", keepalived, "'address' of the node"},
    {"auth_pass", keepalived, "'password_file' of a virtual router"},
    {"track_script", keepalived, "'track' of a virtual router"},
    {"track_interface", keepalived, "'track' of a virtual router"},

    {"virtual", ldirectord, "an entry of 'services', with its address in 'listen'"},
    {"virtualserver", ldirectord, "'listen' of a service"},
    {"real", ldirectord, "an entry of 'servers' of a service"},
    {"realserver", ldirectord, "an entry of 'servers' of a service"},
    {"checktype", ldirectord, "'check' of a service, with the kind of the probe as its key: tcp, http, exec"},
    {"checkinterval", ldirectord, "'interval' of a check"},
    {"failurecount", ldirectord, "'fall' of a check"},
    {"checktimeout", ldirectord, "'timeout' of a check"},
    {"negotiatetimeout", ldirectord, "'timeout' of a check"},
    {"checkcount", ldirectord, "'fall' of a check"},
    {"checkport", ldirectord, "'port' of a check"},
    {"checkcommand", ldirectord, "'command' of an exec probe"},
    {"request", ldirectord, "'path' of an http probe, 'send' of a udp probe, 'name' of a dns probe"},
    {"receive", ldirectord, "'body' in 'expect' of an http probe, 'expect' of a udp probe"},
    {"virtualhost", ldirectord, "'host' of an http probe"},
    {"httpmethod", ldirectord, "'method' of an http probe"},
    {"quiescent", ldirectord, "'on_failure' of a service: drain where quiescent is yes, else remove"},
    {"persistent", ldirectord, "'persistence' of a service"},
    {"netmask", ldirectord, "'persistence_mask' of a service, as a prefix length"},
};

struct Value {
  std::string_view word;
  std::string_view tool;
  std::string_view here;
};

constexpr Value values[] = {
    {"masq", ldirectord, "nat"},       {"masquerading", "ipvsadm", "nat"}, {"gate", ldirectord, "dr"},
    {"gatewaying", "ipvsadm", "dr"},   {"direct", keepalived, "dr"},       {"route", "ipvsadm", "dr"},
    {"ipip", ldirectord, "tunnel"},    {"tun", keepalived, "tunnel"},      {"ping", ldirectord, "icmp"},
    {"negotiate", ldirectord, "http"}, {"connect", ldirectord, "tcp"},     {"external", ldirectord, "exec"},
};

}  // namespace

std::string known_elsewhere(std::string_view word, std::string_view noun) {
  const auto found = std::ranges::find_if(keys, [&, lowered = net::to_lower(word)](const Key& key) {
    return key.word == lowered && (key.noun.empty() || key.noun == noun);
  });
  if (found == std::end(keys)) return {};
  if (found->tool.empty()) return std::string(found->here);
  return fmt::format("{} is {}'s keyword; use {}", word, found->tool, found->here);
}

std::string known_elsewhere(std::string_view word, std::span<const std::string> choices) {
  for (const auto& value : values) {
    if (value.word != net::to_lower(word) || std::ranges::find(choices, value.here) == choices.end()) continue;
    return fmt::format("{} is {}'s keyword; use '{}'", word, value.tool, value.here);
  }
  return {};
}

}  // namespace config
