#include "director/engine/event_types.h"

#include <array>
#include <utility>

namespace director {
namespace {

using enum EventKind;
using enum Level;

constexpr auto types = std::to_array<EventType>({
    {server_up, "server_up", info, ReasonClass::check, "a server's checks pass: it is up"},
    {server_down, "server_down", warning, ReasonClass::check, "a server's checks fail: it is down"},
    {server_unknown, "server_unknown", info, ReasonClass::check, "a server is waiting for check results"},
    {server_advice, "server_advice", info, ReasonClass::advice,
     "a server's agent, script or file sets a weight, a drain or maintenance"},
    {server_order, "server_order", info, ReasonClass::order,
     "an operator drains or disables a server or sets its weight, or reverts that"},
    {server_drained, "server_drained", info, ReasonClass::connections,
     "the last connection of a draining server has ended, or its drain timeout was reached"},
    {service_quorum, "service_quorum", info, ReasonClass::check, "a service has reached its quorum of servers"},
    {service_no_quorum, "service_no_quorum", warning, ReasonClass::check,
     "a service has fewer servers in service than its quorum needs"},
    {service_waits, "service_waits", info, ReasonClass::check,
     "a service is waiting for the first check results of its servers"},
    {service_fallback, "service_fallback", warning, ReasonClass::check,
     "the fallback gets the new connections of a service"},
    {service_no_fallback, "service_no_fallback", info, ReasonClass::check,
     "the servers get the new connections of a service again"},
    {service_panic, "service_panic", warning, ReasonClass::check,
     "failed servers stay in service, because too many have failed (`panic`)"},
    {service_no_panic, "service_no_panic", info, ReasonClass::check, "the panic mode of a service has ended"},
    {removal_begun, "removal_begun", info, ReasonClass::file,
     "a server or service is not in the cluster file any more: it drains"},
    {removal_done, "removal_done", info, ReasonClass::connections,
     "a server that is not in the cluster file was removed from the kernel's table"},
    {table_refused, "table_refused", error, ReasonClass::kernel,
     "the kernel refuses a change to its table; retried each second"},
    {table_changed, "table_changed", warning, ReasonClass::kernel,
     "another program changed directord's entries in the table; they were restored"},
    {table_lost, "table_lost", error, ReasonClass::kernel,
     "the kernel's table cannot be read: the module ip_vs was removed, or the kernel answers with errors"},
    {table_found, "table_found", info, ReasonClass::kernel, "the kernel's table can be read again; it is restored"},
    {router_role, "router_role", info, ReasonClass::vrrp, "a virtual router changes its role: master, backup, stopped"},
    {router_fault, "router_fault", warning, ReasonClass::vrrp,
     "a virtual router is in fault: its link or a tracker failed, or the kernel refuses its addresses"},
    {router_order, "router_order", info, ReasonClass::order, "an operator requests the failover of a virtual router"},
    {router_lowered, "router_lowered", warning, ReasonClass::vrrp,
     "a virtual router's priority was lowered: a tracker failed"},
    {router_raised, "router_raised", info, ReasonClass::vrrp,
     "a virtual router's priority was raised: a tracker passes again"},
    {router_gives_up, "router_gives_up", warning, ReasonClass::vrrp,
     "a virtual router gives up the master role: a service is below its quorum"},
    {router_may_lead, "router_may_lead", info, ReasonClass::vrrp,
     "a virtual router may be master again: the service has reached its quorum"},
    {router_unrelieved, "router_unrelieved", warning, ReasonClass::vrrp,
     "no other node took over the master role that this node gave up"},
    {router_stalled, "router_stalled", warning, ReasonClass::vrrp,
     "directord or its host was stalled for longer than a peer waits for a master"},
    {router_not_ready, "router_not_ready", warning, ReasonClass::vrrp,
     "`ready_within` expired before every server had a check result"},
    {router_advert, "router_advert", warning, ReasonClass::vrrp,
     "an advertisement was refused, or lists other addresses"},
    {router_checksum, "router_checksum", info, ReasonClass::vrrp,
     "a peer's advertisements have the checksum of another RFC: this node sends it too (`checksum: auto`)"},
    {router_error, "router_error", error, ReasonClass::vrrp,
     "an address, a route or an advertisement could not be set or sent"},
    {resource_started, "resource_started", info, ReasonClass::vrrp,
     "a unit that follows the role runs where the role is"},
    {resource_stopped, "resource_stopped", info, ReasonClass::vrrp,
     "a unit that follows the role was stopped: the role is elsewhere, or a unit before it is started again"},
    {resource_failed, "resource_failed", warning, ReasonClass::vrrp,
     "a unit that follows the role failed, or did not start or stop in its time"},
    {systemd_lost, "systemd_lost", error, ReasonClass::vrrp,
     "systemd cannot be reached: units cannot be started or stopped; retried each second"},
    {systemd_found, "systemd_found", info, ReasonClass::vrrp, "systemd can be reached again"},
    {path_broken, "path_broken", warning, ReasonClass::check,
     "checks `via: vip` get no answer on this host: their failures do not count"},
    {path_works, "path_works", info, ReasonClass::check, "checks `via: vip` get answers on this host again"},
    {checks_blocked, "checks_blocked", warning, ReasonClass::check,
     "checks cannot be run on this host: it lacks a route, an address, a program, descriptors or the like"},
    {checks_run, "checks_run", info, ReasonClass::check, "this host has again what those checks need"},
    {node_differs, "node_differs", warning, ReasonClass::peer,
     "another director has another cluster file in force, or another program"},
    {node_agrees, "node_agrees", info, ReasonClass::peer,
     "another director has the same cluster file in force and the same program again"},
    {peer_unreachable, "peer_unreachable", warning, ReasonClass::peer,
     "there is no connection with another director: it does not get orders that are given here"},
    {peer_reached, "peer_reached", info, ReasonClass::peer, "there is a connection with that director again"},
    {peer_view_differs, "peer_view_differs", warning, ReasonClass::peer,
     "a server is up on one director and down on another for 30 s, or a service's servers in their kernels' tables "
     "differ "
     "for 60 s"},
    {peer_view_agrees, "peer_view_agrees", info, ReasonClass::peer, "the directors find and hold the same again"},
    {sync_error, "sync_error", error, ReasonClass::kernel,
     "the kernel's connection sync is not as in the cluster file; retried"},
    {setting_error, "setting_error", error, ReasonClass::kernel,
     "a kernel setting that the cluster file needs could not be set; retried"},
    {state_error, "state_error", error, ReasonClass::disk, "the state file could not be read or written"},
    {state_saved, "state_saved", info, ReasonClass::disk, "the state file can be written again"},
    {log_stalled, "log_stalled", warning, ReasonClass::process,
     "the log cannot be written: nobody reads it, or the disk is full or hangs; what does not fit into memory is "
     "dropped"},
    {log_written, "log_written", info, ReasonClass::process, "the log can be written again"},
    {reloaded, "reloaded", info, ReasonClass::file, "another cluster file is in force"},
    {reload_refused, "reload_refused", error, ReasonClass::file,
     "a cluster file was refused; the one before stays in force"},
    {clock_set, "clock_set", warning, ReasonClass::process,
     "the host's clock was set: drains and weights keep their remaining time"},
    {stopped, "stopped", info, ReasonClass::process, "directord stops, or a new process replaces it"},
});

constexpr bool in_order() {
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (std::to_underlying(types[i].kind) != i) return false;
  }
  return types.size() == std::to_underlying(EventKind::stopped) + 1;
}
static_assert(in_order(), "one type for each kind, in their order");

}  // namespace

std::span<const EventType> event_types() { return types; }

const EventType& type_of(EventKind kind) { return types[std::to_underlying(kind)]; }

std::string_view to_string(Level level) {
  switch (level) {
    case info:
      return "info";
    case warning:
      return "warning";
    case error:
      return "error";
  }
  return "?";
}

std::string_view to_string(ReasonClass reason) {
  switch (reason) {
    case ReasonClass::check:
      return "check";
    case ReasonClass::advice:
      return "advice";
    case ReasonClass::order:
      return "order";
    case ReasonClass::file:
      return "file";
    case ReasonClass::connections:
      return "connections";
    case ReasonClass::kernel:
      return "kernel";
    case ReasonClass::vrrp:
      return "vrrp";
    case ReasonClass::peer:
      return "peer";
    case ReasonClass::disk:
      return "disk";
    case ReasonClass::process:
      return "process";
  }
  return "?";
}

}  // namespace director
