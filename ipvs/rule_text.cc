#include "ipvs/rule_text.h"

#include <fmt/format.h>

#include <iterator>

#include "ipvs/overloaded.h"

namespace ipvs {

namespace {

struct Writer {
  std::string& out;
  Namer& namer;

  template <class... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) const {
    fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
  }

  void service(const ServiceKey& key) const {
    switch (key.protocol) {
      case Protocol::none:
        put("-f {}{}", key.fwmark, key.family() == net::Family::ipv6 ? " -6" : "");
        return;
      case Protocol::tcp:
        put("-t ");
        break;
      case Protocol::udp:
        put("-u ");
        break;
      case Protocol::sctp:
        put("--sctp-service ");
        break;
    }
    put("{}", namer.endpoint(key.endpoint, key.protocol));
  }

  void values(const Service& service, net::Family family) const {
    put(" -s {}", service.scheduler);
    if (service.persistence.count() > 0) {
      put(" -p {}", service.persistence.count());
      if (const std::string mask = netmask(service, family); !mask.empty()) put(" -M {}", mask);
    }
    if (!service.persistence_engine.empty()) put(" --pe {}", service.persistence_engine);
    if (service.flags & flag::one_packet) put(" -o");
    if (const std::string flags = scheduler_flags(service); !flags.empty()) put(" -b {}", flags);
  }

  void destination(const ServiceKey& key, const DestinationKey& destination) const {
    service(key);
    put(" -r {}", namer.endpoint(destination.endpoint, key.protocol));
  }

  void values(const Destination& destination) const {
    const bool tunnel = destination.forward == Forward::tunnel;
    put(" {} -w {}", tunnel ? "-i" : destination.forward == Forward::nat ? "-m" : "-g", destination.weight);
    if (tunnel) tunnel_values(destination.tunnel);
    if (destination.upper_threshold > 0) put(" -x {}", destination.upper_threshold);
    if (destination.lower_threshold > 0) put(" -y {}", destination.lower_threshold);
  }

  void tunnel_values(const Tunnel& tunnel) const {
    put(" --tun-type {}", to_string(tunnel.type));
    if (tunnel.type == Tunnel::Type::gue) put(" --tun-port {}", tunnel.port);
    if (tunnel.type == Tunnel::Type::ipip) return;
    put(" --tun-{}", tunnel.flags == 0 ? "nocsum" : tunnel.flags & 2 ? "remcsum" : "csum");
  }

  void daemon(const Daemon& daemon) const {
    put("--start-daemon {} --mcast-interface {} --syncid {}",
        daemon.state == Daemon::State::master ? "master" : "backup", daemon.interface, daemon.sync_id);
    if (daemon.max_length > 0) put(" --sync-maxlen {}", daemon.max_length);
    if (daemon.group) put(" --mcast-group {}", to_string(*daemon.group));
    if (daemon.port > 0) put(" --mcast-port {}", daemon.port);
    if (daemon.ttl > 0) put(" --mcast-ttl {}", daemon.ttl);
  }
};

}  // namespace

void append_rule(std::string& out, const Op& op, Namer& namer) {
  const Writer w{.out = out, .namer = namer};
  std::visit(
      Overloaded{
          [&](const AddService& o) { w.put("-A "), w.service(o.key), w.values(o.service, o.key.family()); },
          [&](const SetService& o) { w.put("-E "), w.service(o.key), w.values(o.service, o.key.family()); },
          [&](const RemoveService& o) { w.put("-D "), w.service(o.key); },
          [&](const AddDestination& o) { w.put("-a "), w.destination(o.service, o.key), w.values(o.destination); },
          [&](const SetDestination& o) { w.put("-e "), w.destination(o.service, o.key), w.values(o.destination); },
          [&](const RemoveDestination& o) { w.put("-d "), w.destination(o.service, o.key); },
          [&](const Zero& o) {
            w.put("-Z");
            if (o.service) w.put(" "), w.service(*o.service);
          },
          [&](const Flush&) { w.put("-C"); },
          [&](const SetTimeouts& o) {
            w.put("--set {} {} {}", o.timeouts.tcp.count(), o.timeouts.tcp_fin.count(), o.timeouts.udp.count());
          },
          [&](const StartDaemon& o) { w.daemon(o.daemon); },
          [&](const StopDaemon& o) {
            w.put("--stop-daemon {}", o.state == Daemon::State::master ? "master" : "backup");
          },
      },
      op);
  out += '\n';
}

std::string scheduler_flags(const Service& service) {
  const bool hashes = service.scheduler == "sh" || service.scheduler == "mh";
  std::string text;
  const auto add = [&](std::uint32_t flag, std::string_view own, std::string_view plain) {
    if (!(service.flags & flag)) return;
    if (!text.empty()) text += ',';
    text += hashes && !own.empty() ? fmt::format("{}-{}", service.scheduler, own) : std::string(plain);
  };
  add(flag::sched1, "fallback", "flag-1");
  add(flag::sched2, "port", "flag-2");
  add(flag::sched3, "", "flag-3");
  return text;
}

std::string netmask(const Service& service, net::Family family) {
  if (family == net::Family::ipv6) return service.mask_length > 0 ? std::to_string(service.mask_length) : std::string();
  const std::uint32_t mask = ipv4_mask(service);
  if (mask == UINT32_MAX) return {};
  return fmt::format("{}.{}.{}.{}", mask >> 24, mask >> 16 & 255, mask >> 8 & 255, mask & 255);
}

std::string_view to_string(Tunnel::Type type) {
  switch (type) {
    case Tunnel::Type::ipip:
      return "ipip";
    case Tunnel::Type::gue:
      return "gue";
    case Tunnel::Type::gre:
      return "gre";
  }
  return "?";
}

}  // namespace ipvs
