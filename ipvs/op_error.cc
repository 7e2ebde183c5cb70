#include "ipvs/op_error.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace ipvs {

namespace {

/// The service that an op speaks of, if it speaks of one.
const ServiceKey* service_of(const Op& op) {
  return std::visit(
      [](const auto& o) -> const ServiceKey* {
        if constexpr (requires { o.destination; } || requires { o.service.endpoint; })
          return &o.service;
        else if constexpr (requires { o.key.protocol; })
          return &o.key;
        else if constexpr (requires { o.service->protocol; })
          return o.service ? &*o.service : nullptr;
        else
          return nullptr;
      },
      op);
}

const Service* values_of(const Op& op) {
  if (const auto* add = std::get_if<AddService>(&op)) return &add->service;
  if (const auto* set = std::get_if<SetService>(&op)) return &set->service;
  return nullptr;
}

const Destination* destination_of(const Op& op) {
  if (const auto* add = std::get_if<AddDestination>(&op)) return &add->destination;
  if (const auto* set = std::get_if<SetDestination>(&op)) return &set->destination;
  return nullptr;
}

const DestinationKey* key_of(const Op& op) {
  if (const auto* add = std::get_if<AddDestination>(&op)) return &add->key;
  if (const auto* set = std::get_if<SetDestination>(&op)) return &set->key;
  return nullptr;
}

std::string out_of_range(const Op& op) {
  const Destination* destination = destination_of(op);
  if (!destination) return std::strerror(ERANGE);
  if (destination->lower_threshold > destination->upper_threshold) {
    return fmt::format("the lower threshold {} is above the upper threshold {}", destination->lower_threshold,
                       destination->upper_threshold);
  }
  return fmt::format("the weight {} is not in 0..2147483647", destination->weight);
}

std::string not_found(const Op& op) {
  if (const Service* service = values_of(op)) {
    if (service->persistence_engine.empty()) {
      return fmt::format("the kernel has no scheduler \"{0}\"; load its module: modprobe ip_vs_{0}",
                         service->scheduler);
    }
    return fmt::format(
        "the kernel has no scheduler \"{0}\" or no persistence engine \"{1}\"; load their modules: modprobe ip_vs_{0}, "
        "modprobe ip_vs_pe_{1}",
        service->scheduler, service->persistence_engine);
  }
  if (std::holds_alternative<RemoveDestination>(op) || destination_of(op)) return "there is no such destination";
  return std::strerror(ENOENT);
}

std::string invalid(const Op& op) {
  const Destination* destination = destination_of(op);
  if (!destination) return std::strerror(EINVAL);
  if (destination->forward == Forward::tunnel && destination->tunnel.type == Tunnel::Type::gue &&
      destination->tunnel.port == 0) {
    return "a gue tunnel needs a port, 1..65535";
  }
  if (key_of(op)->endpoint.address.family() != service_of(op)->family()) {
    return "a real server of another address family needs tunnel forwarding and no running sync daemon";
  }
  return "the kernel does not accept this address for a real server; check that lo is up in this namespace";
}

std::string cause(const Op& op, int code) {
  switch (code) {
    case EEXIST:
      return "it already exists";
    case ESRCH:
      if (service_of(op)) return fmt::format("there is no service {}", to_string(*service_of(op)));
      if (std::holds_alternative<StopDaemon>(op)) return "it is not running";
      break;
    case ENOENT:
      return not_found(op);
    case ERANGE:
      return out_of_range(op);
    case ENODEV:
      if (const auto* start = std::get_if<StartDaemon>(&op)) {
        return fmt::format("there is no interface {}", start->daemon.interface);
      }
      break;
    case EINVAL:
      return invalid(op);
    default:
      break;
  }
  return std::string(general_cause(code).value_or(std::strerror(code)));
}

}  // namespace

std::optional<std::string_view> general_cause(int code) {
  switch (code) {
    case EAFNOSUPPORT:
      return "this kernel has no IPv6, or it is switched off (ipv6.disable=1)";
    case EPERM:
      return "not permitted; this needs root or the capability CAP_NET_ADMIN";
    default:
      return std::nullopt;
  }
}

net::Error op_error(const Op& op, int code) {
  return {.code = code, .message = fmt::format("{}: {}", describe(op), cause(op, code))};
}

}  // namespace ipvs
