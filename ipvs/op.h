#pragma once

#include <optional>
#include <string>
#include <variant>

#include "ipvs/types.h"

/// The changes that the kernel's table knows, as values: what diff plans, rules say, and a Kernel applies.
namespace ipvs {

struct AddService {
  ServiceKey key;
  Service service{};
  auto operator<=>(const AddService&) const = default;
};

/// Replaces every property of a service; its destinations and connections stay.
struct SetService {
  ServiceKey key;
  Service service{};
  auto operator<=>(const SetService&) const = default;
};

/// Removes a service with its destinations.
struct RemoveService {
  ServiceKey key;
  auto operator<=>(const RemoveService&) const = default;
};

struct AddDestination {
  ServiceKey service;
  DestinationKey key;
  Destination destination{};
  auto operator<=>(const AddDestination&) const = default;
};

/// Replaces every property of a destination; its connections stay.
struct SetDestination {
  ServiceKey service;
  DestinationKey key;
  Destination destination{};
  auto operator<=>(const SetDestination&) const = default;
};

/// Its open connections are orphaned or, with expire_nodest_conn, reset.
struct RemoveDestination {
  ServiceKey service;
  DestinationKey key;
  auto operator<=>(const RemoveDestination&) const = default;
};

/// Sets the counters of one service and its destinations, or of all, to zero.
struct Zero {
  std::optional<ServiceKey> service{};
  auto operator<=>(const Zero&) const = default;
};

/// Removes every service.
struct Flush {
  auto operator<=>(const Flush&) const = default;
};

struct SetTimeouts {
  Timeouts timeouts{};
  auto operator<=>(const SetTimeouts&) const = default;
};

struct StartDaemon {
  Daemon daemon{};
  auto operator<=>(const StartDaemon&) const = default;
};

struct StopDaemon {
  Daemon::State state = Daemon::State::master;
  auto operator<=>(const StopDaemon&) const = default;
};

using Op = std::variant<AddService, SetService, RemoveService, AddDestination, SetDestination, RemoveDestination, Zero,
                        Flush, SetTimeouts, StartDaemon, StopDaemon>;

/// What the op does to which object: "add 10.0.0.7:80 to tcp 192.0.2.1:80". Begins every error about it.
[[nodiscard]] std::string describe(const Op& op);

/// The same with the values: "add 10.0.0.7:80 to tcp 192.0.2.1:80: nat, weight 3".
[[nodiscard]] std::string to_string(const Op& op);

}  // namespace ipvs
