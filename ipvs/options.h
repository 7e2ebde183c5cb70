#pragma once

#include <popt.h>

#include <cstdint>
#include <string_view>

/// ipvsadm's commands and options by name, as libpopt reads them, and which option goes with which command.
namespace ipvs {

enum class Verb : std::uint8_t {
  add_service,
  edit_service,
  delete_service,
  flush,
  restore,
  batch,  ///< restore, but with an exit status that tells of refused lines
  save,
  add_server,
  edit_server,
  delete_server,
  list,
  zero,
  set,
  start_daemon,
  stop_daemon,
  help,
  version,
};

enum class Option : std::uint8_t {
  tcp_service,
  udp_service,
  sctp_service,
  fwmark_service,
  ipv6,
  scheduler,
  persistent,
  netmask,
  persistence_engine,
  scheduler_flags,
  one_packet,
  real_server,
  gatewaying,
  ipip,
  masquerading,
  weight,
  upper_threshold,
  lower_threshold,
  tunnel_type,
  tunnel_port,
  tunnel_nocsum,
  tunnel_csum,
  tunnel_remcsum,
  connection,
  timeout,
  daemon,
  stats,
  rate,
  exact,
  thresholds,
  persistent_connections,
  tunnel_info,
  nosort,
  sort,
  numeric,
  json,
  sync_id,
  sync_maxlen,
  mcast_interface,
  mcast_group,
  mcast_port,
  mcast_ttl,
  last = mcast_ttl,
};

/// popt's value of a verb is `first_verb` and more; of an option, its place in Option and one.
inline constexpr int first_verb = 100;

/// The table that popt reads; ends with an empty entry.
extern const poptOption option_table[];

/// Their names on the command line, without dashes.
[[nodiscard]] std::string_view name(Verb verb);
[[nodiscard]] std::string_view name(Option option);

/// The options of one kind are given at most once in all: a service's address, the forwarding method.
[[nodiscard]] std::string_view kind(Option option);

/// Whether the command takes the option. Every command takes --sort, which does nothing.
[[nodiscard]] bool takes(Verb verb, Option option);

}  // namespace ipvs
