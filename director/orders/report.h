#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "net/time_text.h"

namespace director {

using net::WallTime;

/// What a director tells the others of itself.
struct NodeReport {
  static constexpr std::size_t routers_max = 64, problems_max = 8;

  std::string version{};
  std::string files{};                           ///< a digest of the cluster file in force
  std::string not_ready{};                       ///< why it would not lead; empty: it is ready
  std::map<std::string, std::string> routers{};  ///< the role of each virtual router, of the first ones
  std::vector<std::string> problems{};           ///< "node lb3: peer_unreachable", the first ones
  std::size_t problem_count = 0;

  bool operator==(const NodeReport&) const = default;
};

/// The same of one of its services.
struct ServiceReport {
  static constexpr std::size_t down_max = 10;

  struct Down {
    std::string reason{};  ///< what the check that failed found
    WallTime since{};

    bool operator==(const Down&) const = default;
  };

  std::string table{};  ///< a digest of the servers to which the kernel sends new connections; empty: none
  std::size_t in_service = 0, servers = 0;
  std::map<std::string, Down> down{};  ///< by the checks, the first ones
  std::map<std::string, std::string>
      up{};  ///< of those that another director says are down: what the checks found here

  bool operator==(const ServiceReport&) const = default;
};

/// The part of a message that has reports: those that are new.
struct Reports {
  std::optional<NodeReport> node{};
  std::map<std::string, std::optional<ServiceReport>> services{};  ///< without a report: it is gone

  bool operator==(const Reports&) const = default;
  [[nodiscard]] bool empty() const { return !node && services.empty(); }
};

/// Puts them into a message's object, as docs/formats/orders.md says. Texts are cut to what a message may have. Times
/// are relative to `now`.
void put_reports(const Reports& reports, nlohmann::json& message, WallTime now);

/// Of a message. Throws std::invalid_argument, and what the JSON library throws.
[[nodiscard]] Reports reports_in(const nlohmann::json& message, WallTime now);

/// How many bytes it takes in a message, about.
[[nodiscard]] std::size_t message_bytes(const std::string& name, const std::optional<ServiceReport>& service);

}  // namespace director
