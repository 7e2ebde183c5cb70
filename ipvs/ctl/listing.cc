#include "ipvs/ctl/listing.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>

#include "ipvs/ctl/rule_text.h"

namespace ipvs {

namespace {

constexpr std::size_t name_width = 28;

/// Formats are compiled: a table is thousands of lines.
template <class Format, class... Args>
void put(std::string& out, const Format& format, const Args&... args) {
  fmt::format_to(std::back_inserter(out), format, args...);
}

/// A text in its column, by bytes as ipvsadm has it: fmt would look for code points, which is a fifth of a long list.
void put_padded(std::string& out, std::string_view text, std::size_t width) {
  out += text;
  if (text.size() < width) out.append(width - text.size(), ' ');
}

/// A name in its column: IPv4's are cut to it, as host names are long; IPv6's push the line to the right.
std::string column(std::string name, net::Family family) {
  if (family == net::Family::ipv4 && name.size() > name_width) name.resize(name_width);
  return name;
}

std::string service_name(const ServiceKey& key, NameResolver& namer) {
  if (key.protocol == Protocol::none) {
    return fmt::format("{}{}", key.fwmark, key.family() == net::Family::ipv6 ? " IPv6" : "");
  }
  return column(namer.endpoint(key.endpoint, key.protocol), key.family());
}

std::string_view forward_name(Forward forward) {
  switch (forward) {
    case Forward::nat:
      return "Masq";
    case Forward::local:
      return "Local";
    case Forward::tunnel:
      return "Tunnel";
    case Forward::route:
      return "Route";
    case Forward::bypass:
      return "Bypass";
  }
  return "?";
}

std::string tunnel_info(const Destination& destination) {
  if (destination.forward != Forward::tunnel) return "n/a";
  const Tunnel& tunnel = destination.tunnel;
  if (tunnel.type == Tunnel::Type::ipip) return "ipip";
  const std::string_view checksum = tunnel.flags == 0 ? "-c" : tunnel.flags & 2 ? "r+c" : "+c";
  if (tunnel.type == Tunnel::Type::gue) return fmt::format("gue:{}:{}", tunnel.port, checksum);
  return fmt::format("gre:{}", checksum);
}

void append_counters(std::string& out, const Stats& stats, const ListOptions& options) {
  const bool rate = options.view == View::rate;
  for (const std::uint64_t number :
       {rate ? stats.connection_rate : stats.connections, rate ? stats.packet_rate_in : stats.packets_in,
        rate ? stats.packet_rate_out : stats.packets_out, rate ? stats.byte_rate_in : stats.bytes_in,
        rate ? stats.byte_rate_out : stats.bytes_out}) {
    out += large_number(number, options.exact);
  }
  out += '\n';
}

bool shows_counters(View view) { return view == View::stats || view == View::rate; }

}  // namespace

std::string version_line(const Info& info) {
  return fmt::format("IP Virtual Server version {}.{}.{} (size={})\n", info.version >> 16 & 255,
                     info.version >> 8 & 255, info.version & 255, info.connection_table_size);
}

void append_header(std::string& out, View view) {
  switch (view) {
    case View::stats:
      out +=
          "Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n"
          "  -> RemoteAddress:Port\n";
      return;
    case View::rate:
      out +=
          "Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n"
          "  -> RemoteAddress:Port\n";
      return;
    case View::thresholds:
      out +=
          "Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn \n"
          "  -> RemoteAddress:Port\n";
      return;
    case View::persistent:
      out +=
          "Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn \n"
          "  -> RemoteAddress:Port\n";
      return;
    case View::tunnel:
      out +=
          "Prot LocalAddress:Port Scheduler Flags\n"
          "  -> RemoteAddress:Port           Forward TunnelInfo    Weight ActiveConn InActConn\n";
      return;
    default:
      out +=
          "Prot LocalAddress:Port Scheduler Flags\n"
          "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n";
  }
}

void append_service(std::string& out, const ServiceRow& row, const ListOptions& options, NameResolver& namer) {
  const std::string name = service_name(row.key, namer);
  if (shows_counters(options.view)) {
    put(out, FMT_COMPILE("{:<4} {:<28}"), protocol_column(row.key.protocol, "FWM"), name);
    return append_counters(out, row.stats, options);
  }
  const Service& service = row.service;
  put(out, FMT_COMPILE("{:<4} {} {}"), protocol_column(row.key.protocol, "FWM"), name, service.scheduler);
  if (const std::string flags = scheduler_flags(service); !flags.empty()) put(out, FMT_COMPILE(" ({})"), flags);
  if (service.persistence.count() > 0) {
    put(out, FMT_COMPILE(" persistent {}"), service.persistence.count());
    if (const std::string mask = netmask(service, row.key.family()); !mask.empty())
      put(out, FMT_COMPILE(" mask {}"), mask);
    if (!service.persistence_engine.empty()) put(out, FMT_COMPILE(" pe {}"), service.persistence_engine);
  }
  if (service.flags & flag::one_packet) out += " ops";
  out += '\n';
}

void append_destination(std::string& out, const ServiceKey& service, const DestinationRow& row,
                        const ListOptions& options, NameResolver& namer) {
  const net::Endpoint& endpoint = row.key.endpoint;
  out += "  -> ";
  put_padded(out, column(namer.endpoint(endpoint, service.protocol), endpoint.address.family()), name_width);
  const DestinationStatus& status = row.status;
  const Destination& destination = status.destination;
  switch (options.view) {
    case View::stats:
    case View::rate:
      return append_counters(out, status.stats, options);
    case View::thresholds:
      put(out, FMT_COMPILE(" {:<10} {:<10} {:<10} {:<10}\n"), destination.upper_threshold, destination.lower_threshold,
          status.active, status.inactive);
      return;
    case View::persistent:
      put(out, FMT_COMPILE(" {:<9} {:<11} {:<10} {:<10}\n"), destination.weight, status.persistent, status.active,
          status.inactive);
      return;
    case View::tunnel:
      put(out, FMT_COMPILE(" {:<7} {:<13} {:<6} {:<10} {:<10}\n"), forward_name(destination.forward),
          tunnel_info(destination), destination.weight, status.active, status.inactive);
      return;
    default:
      out += ' ';
      put_padded(out, forward_name(destination.forward), 7);
      put(out, FMT_COMPILE(" {:<6} {:<10} {:<10}\n"), destination.weight, status.active, status.inactive);
  }
}

std::string timeouts_line(const Timeouts& timeouts) {
  return fmt::format("Timeout (tcp tcpfin udp): {} {} {}\n", timeouts.tcp.count(), timeouts.tcp_fin.count(),
                     timeouts.udp.count());
}

std::string daemon_line(const Daemon& daemon) {
  return fmt::format("{} sync daemon (mcast={}, syncid={}, maxlen={}, group={}, port={}, ttl={})\n",
                     daemon.state == Daemon::State::master ? "master" : "backup", daemon.interface, daemon.sync_id,
                     daemon.max_length, daemon.group ? to_string(*daemon.group) : "", daemon.port, daemon.ttl);
}

void sort_rows(std::vector<ServiceRow>& rows) {
  std::ranges::sort(rows, {}, [](const ServiceRow& row) {
    return std::tuple(row.key.fwmark, row.key.family(), row.key.protocol, row.key.endpoint);
  });
}

void sort_rows(std::vector<DestinationRow>& rows) {
  std::ranges::sort(rows, [](const DestinationRow& a, const DestinationRow& b) {
    const net::Endpoint& left = a.key.endpoint;
    const net::Endpoint& right = b.key.endpoint;
    const auto order =
        std::lexicographical_compare_three_way(left.address.bytes().begin(), left.address.bytes().end(),
                                               right.address.bytes().begin(), right.address.bytes().end());
    return order != 0 ? order < 0 : left.port < right.port;
  });
}

std::string large_number(std::uint64_t number, bool exact) {
  struct Unit {
    std::uint64_t below, divisor;
    char name;
  };
  // The bounds are ipvsadm's.
  static constexpr Unit units[] = {{1'000'000'000, 1'000, 'K'},
                                   {100'000'000'000, 1'000'000, 'M'},
                                   {100'000'000'000'000, 1'000'000'000, 'G'},
                                   {UINT64_MAX, 1'000'000'000'000, 'T'}};
  if (exact || number < 100'000'000) return fmt::format(FMT_COMPILE(" {:>8}"), number);
  const Unit* unit = std::ranges::find_if(units, [&](const Unit& each) { return number < each.below; });
  if (unit == std::end(units)) --unit;
  return fmt::format(FMT_COMPILE("{:>8}{}"), number / unit->divisor, unit->name);
}

}  // namespace ipvs
