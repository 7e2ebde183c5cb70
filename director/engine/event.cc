#include "director/engine/event.h"

#include <fmt/format.h>

#include "checkers/health.h"

namespace director::events {
namespace {

std::string because(const std::string& reason) { return reason.empty() ? "" : ": " + reason; }

std::string on_node(const std::string& node) { return node.empty() ? "" : " on " + node; }

Event of_server(EventKind kind, const std::string& server, std::string text, const std::string& reason = {}) {
  return {.kind = kind, .subject = "server " + server, .reason = reason, .text = std::move(text)};
}

Event of_service(EventKind kind, const std::string& service, std::string text) {
  return {.kind = kind, .subject = "service " + service, .text = std::move(text)};
}

Event of_router(EventKind kind, const std::string& router, std::string text, const std::string& reason = {}) {
  return {.kind = kind, .subject = "vrrp " + router, .reason = reason, .text = std::move(text)};
}

/// All that there is to say is why.
Event because_of(EventKind kind, std::string subject, const std::string& why) {
  return {.kind = kind, .subject = std::move(subject), .reason = why, .text = why};
}

/// What becomes of checks that this host cannot run: "they ...".
std::string effect(const checkers::LocalFault& fault) {
  constexpr auto limit = std::chrono::duration_cast<std::chrono::seconds>(checkers::shortage_limit);
  return fault.is_shortage ? fmt::format("keep their last result for {}", net::to_string(limit)) : "count as failed";
}

std::string transition(std::string_view from, std::string_view to, const std::string& why) {
  return fmt::format("{} -> {}: {}", from, to, why);
}

}  // namespace

Event server_health(const std::string& server, EventKind kind, std::string_view from, std::string_view to,
                    const std::string& why, std::optional<net::WallTime> since) {
  auto event = of_server(kind, server, transition(from, to, why), why);
  event.from = from;
  event.to = to;
  event.since = since;
  return event;
}

Event server_advice(const std::string& server, const std::string& why) {
  return of_server(EventKind::server_advice, server, "weight or state changed: " + why, why);
}

Event server_drain(const std::string& server, const std::string& reason, std::optional<std::chrono::seconds> within,
                   const std::string& node) {
  const bool at_once = within && within->count() == 0;
  const auto limit = within && !at_once ? fmt::format(", drain timeout {}", net::to_string(*within)) : "";
  auto event = of_server(
      EventKind::server_order, server,
      fmt::format("{} by the operator{}{}{}", at_once ? "disabled" : "drained", on_node(node), limit, because(reason)),
      reason);
  event.to = at_once ? "disabled" : "drained";
  return event;
}

Event server_undrain(const std::string& server, bool was_disabled, const std::string& node) {
  auto event = of_server(EventKind::server_order, server,
                         fmt::format("{} by the operator{}", was_disabled ? "enabled" : "undrained", on_node(node)));
  event.from = was_disabled ? "disabled" : "drained";
  return event;
}

Event server_weight(const std::string& server, std::optional<std::uint32_t> weight, std::uint32_t file_weight,
                    const std::string& reason, std::optional<std::chrono::seconds> time, const std::string& node) {
  auto text =
      weight ? fmt::format("weight set to {} by the operator{} (cluster file: {})", *weight, on_node(node), file_weight)
             : fmt::format("weight reset to {}, as in the cluster file{}", file_weight,
                           node.empty() ? "" : ", by the operator" + on_node(node));
  if (weight && time) text += fmt::format(", for {}", net::to_string(*time));
  if (weight) text += because(reason);
  auto event = of_server(EventKind::server_order, server, std::move(text), reason);
  event.to = fmt::format("weight {}", weight.value_or(file_weight));
  return event;
}

Event orders_concurrent(const std::string& server, const std::string& holds, const std::string& lost) {
  return of_server(EventKind::server_order, server,
                   fmt::format("two orders were given at the same time: {} holds, {} does not", holds, lost));
}

Event server_weight_expired(const std::string& server, std::uint32_t weight, std::optional<std::uint32_t> file_weight) {
  const auto now = file_weight ? fmt::format("weight reset to {}, as in the cluster file", *file_weight)
                               : std::string("not in the cluster file");
  auto event =
      of_server(EventKind::server_order, server, fmt::format("{}: the operator's weight {} has expired", now, weight));
  event.from = fmt::format("weight {}", weight);
  return event;
}

Event server_drained(const std::string& server, const std::string& why) {
  return of_server(EventKind::server_drained, server, "drain complete: " + why, why);
}

Event service_quorum(const std::string& service, bool quorum, bool all_known, const std::string& count) {
  if (quorum) return of_service(EventKind::service_quorum, service, "quorum reached: " + count);
  return all_known ? of_service(EventKind::service_no_quorum, service, "quorum lost: " + count)
                   : of_service(EventKind::service_waits, service, "waiting for the first check results");
}

Event service_fallback(const std::string& service, const std::string& fallbacks, bool in_use) {
  return of_service(in_use ? EventKind::service_fallback : EventKind::service_no_fallback, service,
                    fmt::format("fallback {} {}", fallbacks, in_use ? "in use" : "no longer in use"));
}

Event service_panic(const std::string& service, std::size_t servers, unsigned percent) {
  if (servers == 0) return of_service(EventKind::service_no_panic, service, "panic mode ended");
  return of_service(
      EventKind::service_panic, service,
      fmt::format("panic mode: {} failed servers stay in service: failed checks may remove at most {}% of the "
                  "weight",
                  servers, percent));
}

Event removal_begun(const ipvs::DestinationKey& destination, const ipvs::ServiceKey& service,
                    std::chrono::seconds drain_time) {
  return {
      .kind = EventKind::removal_begun,
      .subject = "ipvs",
      .text = fmt::format("{} of {} is not in the cluster file: draining, removed from the table in {} at the latest",
                          ipvs::to_string(destination), ipvs::to_string(service), net::to_string(drain_time))};
}

Event removal_done(const ipvs::DestinationKey& destination, const ipvs::ServiceKey& service, const std::string& why) {
  return {.kind = EventKind::removal_done,
          .subject = "ipvs",
          .reason = why,
          .text = fmt::format("removed {} of {} from the table: {}", ipvs::to_string(destination),
                              ipvs::to_string(service), why)};
}

Event table_refused(const std::string& why) { return because_of(EventKind::table_refused, "ipvs", why); }

Event table_lost(const std::string& why) { return because_of(EventKind::table_lost, "ipvs", why); }

Event table_found() {
  return {
      .kind = EventKind::table_found, .subject = "ipvs", .text = "the kernel's table can be read again: restoring it"};
}

Event table_repaired(const ipvs::ServiceKey& service) {
  return {.kind = EventKind::table_changed,
          .subject = "ipvs",
          .text = fmt::format("{} was changed by another program; restored", ipvs::to_string(service))};
}

Event table_unknown_service(const ipvs::ServiceKey& service) {
  return {.kind = EventKind::table_changed,
          .subject = "ipvs",
          .text = fmt::format("{} is not in the cluster file: draining, will be removed (ownership: exclusive)",
                              ipvs::to_string(service))};
}

Event router_role(const std::string& router, std::string_view from, std::string_view to, const std::string& why,
                  bool fault) {
  auto event =
      of_router(fault ? EventKind::router_fault : EventKind::router_role, router, transition(from, to, why), why);
  event.from = from;
  event.to = to;
  return event;
}

Event router_notice(EventKind kind, const std::string& router, const std::string& text) {
  return of_router(kind, router, text, text);
}

Event router_order(const std::string& router) {
  return of_router(EventKind::router_order, router, "failover requested by the operator");
}

Event router_not_ready(const std::string& why) {
  return {.kind = EventKind::router_not_ready,
          .subject = "vrrp",
          .reason = why,
          .text = "ready_within expired, joining VRRP anyway: " + why};
}

Event resource(EventKind kind, const std::string& router, const std::string& unit, const std::string& why) {
  const auto what = kind == EventKind::resource_started   ? "active"
                    : kind == EventKind::resource_stopped ? "stopped"
                                                          : "failed";
  return {.kind = kind,
          .subject = fmt::format("resource {}/{}", router, unit),
          .reason = why,
          .text = why.empty() ? what : fmt::format("{}: {}", what, why)};
}

Event systemd_lost(const std::string& why) {
  return {.kind = EventKind::systemd_lost, .subject = "systemd", .reason = why, .text = systemd_problem(why)};
}

std::string systemd_problem(const std::string& why) {
  return fmt::format("resources can be neither started nor stopped: {}; retried each second", why);
}

Event systemd_found() {
  return {.kind = EventKind::systemd_found, .subject = "systemd", .text = "can be reached again"};
}

Event path_works(const std::string& path, const std::string& result) {
  return {.kind = EventKind::path_works, .subject = path, .reason = result, .text = "works again: " + result};
}

Event path_broken(const std::string& path, const std::string& why) {
  return because_of(EventKind::path_broken, path, why);
}

Event local_fault(const checkers::LocalFault& fault, bool begins) {
  return {.kind = begins ? EventKind::checks_blocked : EventKind::checks_run,
          .subject = "checks",
          .reason = fault.what,
          .text = begins ? fmt::format("{}; such checks {}", fault.example, effect(fault))
                         : "can be run again on this host: no longer " + fault.what};
}

std::string checks_blocked_problem(const checkers::LocalFault& fault) {
  return fmt::format("{} cannot be run on this host and {}: {}",
                     fault.checks == 1 ? "1 check" : fmt::format("{} checks", fault.checks), effect(fault), fault.what);
}

Event node_agreement(const std::string& node, bool differs, const std::string& text) {
  auto event = because_of(differs ? EventKind::node_differs : EventKind::node_agrees, "node " + node, text);
  event.from = differs ? "same" : "differs";
  event.to = differs ? "differs" : "same";
  return event;
}

Event peer_unreachable(const std::string& node, const std::string& why) {
  return because_of(EventKind::peer_unreachable, "node " + node, why);
}

Event peer_reached(const std::string& node) {
  return {.kind = EventKind::peer_reached, .subject = "node " + node, .text = "connected again"};
}

Event peer_view(const std::string& subject, const std::string& text) {
  if (!text.empty()) return because_of(EventKind::peer_view_differs, subject, text);
  return {.kind = EventKind::peer_view_agrees, .subject = subject, .text = "the same on all directors again"};
}

Event sync_error(const std::string& why) { return because_of(EventKind::sync_error, "connection sync", why); }

Event setting_error(const std::string& why) { return because_of(EventKind::setting_error, "kernel", why); }

Event state_error(const std::string& why) { return because_of(EventKind::state_error, "directord", why); }

Event state_saved() {
  return {.kind = EventKind::state_saved, .subject = "directord", .text = "the state file can be written again"};
}

Event log_stalled(const std::string& why) { return because_of(EventKind::log_stalled, "directord", why); }

Event log_written() {
  return {.kind = EventKind::log_written, .subject = "directord", .text = "the log can be written again"};
}

std::string log_problem(const LogWriter::Trouble& trouble) {
  return fmt::format("the log cannot be written (since {}): {}; {} line{} dropped", net::timestamp(trouble.since),
                     trouble.why, trouble.dropped, trouble.dropped == 1 ? " was" : "s were");
}

Event clock_set(net::WallTime::duration by) {
  const auto step = std::chrono::duration_cast<std::chrono::seconds>(by);
  return {.kind = EventKind::clock_set,
          .subject = "directord",
          .text = fmt::format("the host's clock was set {} by {}: drains and weights keep their remaining time",
                              step.count() < 0 ? "back" : "forward", net::to_string(abs(step)))};
}

Event reloaded(const std::string& what) {
  return {
      .kind = EventKind::reloaded, .subject = "directord", .reason = what, .text = "cluster file reloaded: " + what};
}

Event reload_refused(const std::string& why, const std::string& who) {
  return {.kind = EventKind::reload_refused,
          .subject = "directord",
          .reason = why,
          .text = fmt::format("{} (reload requested via {})", why, who)};
}

Event stopped(StopMode how) {
  Event event{.kind = EventKind::stopped, .subject = "directord"};
  switch (how) {
    case StopMode::rules_stay:
      event.text = "stopped; the rules stay in the kernel";
      break;
    case StopMode::rules_removed:
      event.text = "stopped; the rules were removed from the kernel (on_stop: clear)";
      break;
    case StopMode::replaced:
      event.text = "stopped; a new directord process replaces this one";
      break;
  }
  return event;
}

}  // namespace director::events
