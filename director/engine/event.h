#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "checkers/local_faults.h"
#include "director/engine/event_types.h"
#include "director/engine/log_writer.h"
#include "ipvs/types.h"
#include "net/time_text.h"

namespace director {

/// Something that changed: what, from what to what, why. One line in the log each.
struct Event {
  EventKind kind = EventKind::stopped;
  std::string subject;                   ///< "server web/web1", "vrrp front", "ipvs", "directord"
  std::string from{}, to{};              ///< of a change of state: "up", "down"; else empty
  std::string reason{};                  ///< why, as far as the kind does not say it; may be empty
  std::optional<net::WallTime> since{};  ///< of a change of state: when `from` began
  std::string text{};                    ///< the sentence: "up -> down: connect 10.0.0.7:80: timed out after 1 s"
  std::uint64_t number = 0;              ///< counts from 1 while the process runs, without gaps; the log gives it
  net::WallTime at{};                    ///< the log gives it
};

/// What happened, as events: the one place that words them. Pure. A server is named "web/web1".
namespace events {

// Servers.
Event server_health(const std::string& server, EventKind kind, std::string_view from, std::string_view to,
                    const std::string& why, std::optional<net::WallTime> since);
Event server_advice(const std::string& server, const std::string& why);
/// The operator's orders: `within` is the time that its connections may keep, zero for none; `node` is where it was
/// given, empty for this one.
Event server_drain(const std::string& server, const std::string& reason, std::optional<std::chrono::seconds> within,
                   const std::string& node = {});
Event server_undrain(const std::string& server, bool was_disabled, const std::string& node = {});
Event server_weight(const std::string& server, std::optional<std::uint32_t> weight, std::uint32_t file_weight,
                    const std::string& reason, std::optional<std::chrono::seconds> time, const std::string& node = {});
/// Orders were given on two nodes, neither of which knew of the other's.
Event orders_concurrent(const std::string& server, const std::string& holds, const std::string& lost);
/// `file_weight` is nothing for a server that has left the file.
Event server_weight_expired(const std::string& server, std::uint32_t weight, std::optional<std::uint32_t> file_weight);
Event server_drained(const std::string& server, const std::string& why);

// Services.
/// `count`: "1 of 2 servers in service, 1 needed".
Event service_quorum(const std::string& service, bool quorum, bool all_known, const std::string& count);
Event service_fallback(const std::string& service, const std::string& fallbacks, bool in_use);
Event service_panic(const std::string& service, std::size_t servers, unsigned percent);

// The kernel's table.
Event removal_begun(const ipvs::DestinationKey& destination, const ipvs::ServiceKey& service,
                    std::chrono::seconds drain_time);
Event removal_done(const ipvs::DestinationKey& destination, const ipvs::ServiceKey& service, const std::string& why);
Event table_refused(const std::string& why);
Event table_lost(const std::string& why);
Event table_found();
Event table_repaired(const ipvs::ServiceKey& service);
Event table_unknown_service(const ipvs::ServiceKey& service);

// Virtual routers.
/// `fault`: it takes no part from now on.
Event router_role(const std::string& router, std::string_view from, std::string_view to, const std::string& why,
                  bool fault);
Event router_notice(EventKind kind, const std::string& router, const std::string& text);
Event router_order(const std::string& router);
Event router_not_ready(const std::string& why);
/// A unit that follows the router's role.
Event resource(EventKind kind, const std::string& router, const std::string& unit, const std::string& why);
Event systemd_lost(const std::string& why);
/// The same as a problem, while it lasts.
std::string systemd_problem(const std::string& why);
Event systemd_found();

// All else.
Event path_works(const std::string& path, const std::string& result);
Event path_broken(const std::string& path, const std::string& why);
/// It begins, or is over.
Event local_fault(const checkers::LocalFault& fault, bool begins);
/// The same as a problem, while it lasts.
std::string checks_blocked_problem(const checkers::LocalFault& fault);
Event node_agreement(const std::string& node, bool differs, const std::string& text);
Event peer_unreachable(const std::string& node, const std::string& why);
Event peer_reached(const std::string& node);
/// `text` empty: nothing differs any more.
Event peer_view(const std::string& subject, const std::string& text);
Event sync_error(const std::string& why);
Event setting_error(const std::string& why);
Event state_error(const std::string& why);
Event state_saved();
Event log_stalled(const std::string& why);
Event log_written();
/// The same as a problem, while it lasts.
std::string log_problem(const LogWriter::Trouble& trouble);
/// The clock on the wall was set by so much.
Event clock_set(net::WallTime::duration by);
Event reloaded(const std::string& what);
Event reload_refused(const std::string& why, const std::string& who);

/// How a directord ends.
enum class StopMode : std::uint8_t { rules_stay, rules_removed, replaced };
Event stopped(StopMode how);

}  // namespace events

}  // namespace director
