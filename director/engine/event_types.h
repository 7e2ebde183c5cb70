#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace director {

/// The severity of an event, also in the service manager's journal: `journalctl -p warning`.
enum class Level : std::uint8_t {
  info,     ///< things go as they should: a recovery, an order that was done
  warning,  ///< something has failed, or is worse than the cluster file wants it
  error,    ///< directord could not do what it must
};

/// What an event comes from: few enough to count by.
enum class ReasonClass : std::uint8_t {
  check,        ///< what checks found, and what a service does for it
  advice,       ///< a server's agent, script or file
  order,        ///< an operator
  file,         ///< the cluster file
  connections,  ///< the last connection has ended
  kernel,       ///< the kernel refuses a change, or another program changed its table
  vrrp,         ///< the virtual routers: links, trackers, peers
  peer,         ///< another director
  disk,         ///< the state file
  process,      ///< directord starts, stops or is replaced
};

/// What kinds of events there are; the meaning and level of each are in event_types().
enum class EventKind : std::uint8_t {
  server_up,
  server_down,
  server_unknown,
  server_advice,
  server_order,
  server_drained,
  service_quorum,
  service_no_quorum,
  service_waits,
  service_fallback,
  service_no_fallback,
  service_panic,
  service_no_panic,
  removal_begun,
  removal_done,
  table_refused,
  table_changed,
  table_lost,
  table_found,
  router_role,
  router_fault,
  router_order,
  router_lowered,
  router_raised,
  router_gives_up,
  router_may_lead,
  router_unrelieved,
  router_stalled,
  router_not_ready,
  router_advert,
  router_checksum,
  router_error,
  resource_started,
  resource_stopped,
  resource_failed,
  systemd_lost,
  systemd_found,
  path_broken,
  path_works,
  checks_blocked,
  checks_run,
  node_differs,
  node_agrees,
  peer_unreachable,
  peer_reached,
  peer_view_differs,
  peer_view_agrees,
  sync_error,
  setting_error,
  state_error,
  state_saved,
  log_stalled,
  log_written,
  reloaded,
  reload_refused,
  clock_set,
  stopped,
};

struct EventType {
  EventKind kind;
  std::string_view name;  ///< "server_down"; the field `kind` of an event's JSON
  Level level;
  ReasonClass reason_class;
  std::string_view meaning;  ///< for the table in docs/operations.md
};

/// All of them, in the order of EventKind. The one place that decides levels.
[[nodiscard]] std::span<const EventType> event_types();
[[nodiscard]] const EventType& type_of(EventKind kind);

[[nodiscard]] std::string_view to_string(Level level);  ///< "info", "warning", "error"
[[nodiscard]] std::string_view to_string(ReasonClass reason);

}  // namespace director
