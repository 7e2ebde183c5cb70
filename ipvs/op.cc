#include "ipvs/op.h"

#include <fmt/format.h>

#include "ipvs/overloaded.h"

namespace ipvs {

namespace {

std::string_view name(Daemon::State state) { return state == Daemon::State::master ? "master" : "backup"; }

std::string_view name(const Destination& destination) {
  if (destination.forward != Forward::tunnel) return to_string(destination.forward);
  switch (destination.tunnel.type) {
    case Tunnel::Type::ipip:
      return "tunnel";
    case Tunnel::Type::gue:
      return "tunnel (gue)";
    case Tunnel::Type::gre:
      return "tunnel (gre)";
  }
  return "?";
}

std::string text(const Service& service) {
  std::string text = service.scheduler;
  if (service.flags & flag::sched1) text += ", flag-1";
  if (service.flags & flag::sched2) text += ", flag-2";
  if (service.flags & flag::sched3) text += ", flag-3";
  if (service.flags & flag::one_packet) text += ", one packet";
  if (service.persistence.count() > 0) text += ", persistence " + std::to_string(service.persistence.count()) + "s";
  if (service.mask_length > 0) text += " /" + std::to_string(service.mask_length);
  if (service.raw_mask) text += fmt::format(" mask {:#010x}", *service.raw_mask);
  if (!service.persistence_engine.empty()) text += ", engine " + service.persistence_engine;
  return text;
}

std::string text(const Destination& destination) {
  std::string text = fmt::format("{}, weight {}", name(destination), destination.weight);
  if (destination.upper_threshold > 0) text += fmt::format(", upper threshold {}", destination.upper_threshold);
  if (destination.lower_threshold > 0) text += fmt::format(", lower threshold {}", destination.lower_threshold);
  if (destination.tunnel.port > 0) text += fmt::format(", tunnel port {}", destination.tunnel.port);
  return text;
}

}  // namespace

std::string describe(const Op& op) {
  return std::visit(
      Overloaded{
          [](const AddService& o) { return fmt::format("add {}", to_string(o.key)); },
          [](const SetService& o) { return fmt::format("change {}", to_string(o.key)); },
          [](const RemoveService& o) { return fmt::format("remove {}", to_string(o.key)); },
          [](const AddDestination& o) { return fmt::format("add {} to {}", to_string(o.key), to_string(o.service)); },
          [](const SetDestination& o) {
            return fmt::format("change {} of {}", to_string(o.key), to_string(o.service));
          },
          [](const RemoveDestination& o) {
            return fmt::format("remove {} from {}", to_string(o.key), to_string(o.service));
          },
          [](const Zero& o) {
            return fmt::format("zero the counters of {}", o.service ? to_string(*o.service) : "all");
          },
          [](const Flush&) { return std::string("flush the table"); },
          [](const SetTimeouts&) { return std::string("set the timeouts"); },
          [](const StartDaemon& o) {
            return fmt::format("start the {} sync daemon on {}", name(o.daemon.state), o.daemon.interface);
          },
          [](const StopDaemon& o) { return fmt::format("stop the {} sync daemon", name(o.state)); },
      },
      op);
}

std::string to_string(const Op& op) {
  const std::string values =
      std::visit(Overloaded{
                     [](const AddService& o) { return text(o.service); },
                     [](const SetService& o) { return text(o.service); },
                     [](const AddDestination& o) { return text(o.destination); },
                     [](const SetDestination& o) { return text(o.destination); },
                     [](const SetTimeouts& o) {
                       return fmt::format("tcp {}s, tcp_fin {}s, udp {}s", o.timeouts.tcp.count(),
                                          o.timeouts.tcp_fin.count(), o.timeouts.udp.count());
                     },
                     [](const StartDaemon& o) { return fmt::format("id {}", o.daemon.sync_id); },
                     [](const auto&) { return std::string(); },
                 },
                 op);
  return values.empty() ? describe(op) : describe(op) + ": " + values;
}

}  // namespace ipvs
