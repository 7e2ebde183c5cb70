#include "ipvs/ctl/rule_text.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <iterator>

#include "ipvs/overloaded.h"

namespace ipvs {

namespace {

struct Writer {
  std::string& out;
  NameResolver& namer;

  /// Formats are compiled: a file of rules is thousands of lines.
  template <class Format, class... Args>
  void put(const Format& format, const Args&... args) const {
    fmt::format_to(std::back_inserter(out), format, args...);
  }

  void service(const ServiceKey& key) const {
    switch (key.protocol) {
      case Protocol::none:
        put(FMT_COMPILE("-f {}{}"), key.fwmark, key.family() == net::Family::ipv6 ? " -6" : "");
        return;
      case Protocol::tcp:
        out += "-t ";
        break;
      case Protocol::udp:
        out += "-u ";
        break;
      case Protocol::sctp:
        out += "--sctp-service ";
        break;
    }
    out += namer.endpoint(key.endpoint, key.protocol);
  }

  void values(const Service& service, net::Family family) const {
    put(FMT_COMPILE(" -s {}"), service.scheduler);
    if (service.persistence.count() > 0) {
      put(FMT_COMPILE(" -p {}"), service.persistence.count());
      if (const std::string mask = netmask(service, family); !mask.empty()) put(FMT_COMPILE(" -M {}"), mask);
    }
    if (!service.persistence_engine.empty()) put(FMT_COMPILE(" --pe {}"), service.persistence_engine);
    if (service.flags & flag::one_packet) out += " -o";
    if (const std::string flags = scheduler_flags(service); !flags.empty()) put(FMT_COMPILE(" -b {}"), flags);
  }

  void destination(const ServiceKey& key, const DestinationKey& destination) const {
    service(key);
    put(FMT_COMPILE(" -r {}"), namer.endpoint(destination.endpoint, key.protocol));
  }

  void values(const Destination& destination) const {
    const bool tunnel = destination.forward == Forward::tunnel;
    put(FMT_COMPILE(" {} -w {}"),
        tunnel                                ? "-i"
        : destination.forward == Forward::nat ? "-m"
                                              : "-g",
        destination.weight);
    if (tunnel) tunnel_values(destination.tunnel);
    if (destination.upper_threshold > 0) put(FMT_COMPILE(" -x {}"), destination.upper_threshold);
    if (destination.lower_threshold > 0) put(FMT_COMPILE(" -y {}"), destination.lower_threshold);
  }

  void tunnel_values(const Tunnel& tunnel) const {
    put(FMT_COMPILE(" --tun-type {}"), to_string(tunnel.type));
    if (tunnel.type == Tunnel::Type::gue) put(FMT_COMPILE(" --tun-port {}"), tunnel.port);
    if (tunnel.type == Tunnel::Type::ipip) return;
    put(FMT_COMPILE(" --tun-{}"), tunnel.flags == 0 ? "nocsum" : tunnel.flags & 2 ? "remcsum" : "csum");
  }

  void daemon(const Daemon& daemon) const {
    put(FMT_COMPILE("--start-daemon {} --mcast-interface{}{} --syncid {}"),
        daemon.state == Daemon::State::master ? "master" : "backup", daemon.interface.empty() ? "=" : " ",
        daemon.interface, daemon.sync_id);
    if (daemon.max_length > 0) put(FMT_COMPILE(" --sync-maxlen {}"), daemon.max_length);
    if (daemon.group) put(FMT_COMPILE(" --mcast-group {}"), to_string(*daemon.group));
    if (daemon.port > 0) put(FMT_COMPILE(" --mcast-port {}"), daemon.port);
    if (daemon.ttl > 0) put(FMT_COMPILE(" --mcast-ttl {}"), daemon.ttl);
  }
};

}  // namespace

void append_rule(std::string& out, const Op& op, NameResolver& namer) {
  const Writer w{.out = out, .namer = namer};
  std::visit(
      Overloaded{
          [&](const AddService& o) { w.out += "-A ", w.service(o.key), w.values(o.service, o.key.family()); },
          [&](const SetService& o) { w.out += "-E ", w.service(o.key), w.values(o.service, o.key.family()); },
          [&](const RemoveService& o) { w.out += "-D ", w.service(o.key); },
          [&](const AddDestination& o) { w.out += "-a ", w.destination(o.service, o.key), w.values(o.destination); },
          [&](const SetDestination& o) { w.out += "-e ", w.destination(o.service, o.key), w.values(o.destination); },
          [&](const RemoveDestination& o) { w.out += "-d ", w.destination(o.service, o.key); },
          [&](const Zero& o) {
            w.out += "-Z";
            if (o.service) w.out += " ", w.service(*o.service);
          },
          [&](const Flush&) { w.out += "-C"; },
          [&](const SetTimeouts& o) {
            w.put(FMT_COMPILE("--set {} {} {}"), o.timeouts.tcp.count(), o.timeouts.tcp_fin.count(),
                  o.timeouts.udp.count());
          },
          [&](const StartDaemon& o) { w.daemon(o.daemon); },
          [&](const StopDaemon& o) {
            w.put(FMT_COMPILE("--stop-daemon {}"), o.state == Daemon::State::master ? "master" : "backup");
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
