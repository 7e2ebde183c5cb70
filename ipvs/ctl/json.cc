#include "ipvs/ctl/json.h"

#include <nlohmann/json.hpp>

#include "ipvs/ctl/rule_text.h"

namespace ipvs {

namespace {

// Members in the order in which they are written here, which is the order a reader expects.
using Json = nlohmann::ordered_json;

/// Names come from the kernel: what is not UTF-8 in them is replaced.
std::string text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json counters(const Stats& stats) {
  return {{"connections", stats.connections},
          {"packets_in", stats.packets_in},
          {"packets_out", stats.packets_out},
          {"bytes_in", stats.bytes_in},
          {"bytes_out", stats.bytes_out},
          {"rates",
           {{"connections", stats.connection_rate},
            {"packets_in", stats.packet_rate_in},
            {"packets_out", stats.packet_rate_out},
            {"bytes_in", stats.byte_rate_in},
            {"bytes_out", stats.byte_rate_out}}}};
}

Json destination(const DestinationRow& row) {
  const DestinationStatus& status = row.status;
  const Destination& values = status.destination;
  Json json{{"address", to_string(row.key.endpoint.address)}, {"port", row.key.endpoint.port},
            {"forward", to_string(values.forward)},           {"weight", values.weight},
            {"upper_threshold", values.upper_threshold},      {"lower_threshold", values.lower_threshold}};
  if (values.forward == Forward::tunnel) {
    json["tunnel"] = {{"type", to_string(values.tunnel.type)}};
    if (values.tunnel.type == Tunnel::Type::gue) json["tunnel"]["port"] = values.tunnel.port;
    json["tunnel"]["checksum"] = values.tunnel.flags == 0 ? "none" : values.tunnel.flags & 2 ? "remote" : "yes";
  }
  json["active"] = status.active;
  json["inactive"] = status.inactive;
  json["persistent"] = status.persistent;
  json["stats"] = counters(status.stats);
  return json;
}

Json flags(const Service& service) {
  Json names = Json::array();
  const std::string list = scheduler_flags(service);
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    names.push_back(list.substr(at, end - at));
    at = end + 1;
  }
  if (service.flags & flag::one_packet) names.push_back("ops");
  return names;
}

}  // namespace

std::string to_json(const ServiceRow& row, const std::vector<DestinationRow>& destinations) {
  const Service& service = row.service;
  Json json{{"protocol", to_string(row.key.protocol)},
            {"family", row.key.family() == net::Family::ipv4 ? "ipv4" : "ipv6"}};
  if (row.key.protocol == Protocol::none) {
    json["fwmark"] = row.key.fwmark;
  } else {
    json["address"] = to_string(row.key.endpoint.address);
    json["port"] = row.key.endpoint.port;
  }
  json["scheduler"] = service.scheduler;
  json["flags"] = flags(service);
  json["persistence"] = service.persistence.count();
  if (service.persistence.count() > 0) json["netmask"] = netmask(service, row.key.family());
  json["persistence_engine"] = service.persistence_engine;
  json["stats"] = counters(row.stats);
  json["destinations"] = Json::array();
  for (const DestinationRow& each : destinations) json["destinations"].push_back(destination(each));
  return text(json);
}

std::string to_json(const Connection& connection) {
  const auto end = [](const net::Endpoint& endpoint) {
    return Json{{"address", to_string(endpoint.address)}, {"port", endpoint.port}};
  };
  Json json{{"protocol", connection.protocol == Protocol::none ? "ip" : to_string(connection.protocol)},
            {"state", connection.state},
            {"expires", connection.expires.count()},
            {"client", end(connection.client)},
            {"service", end(connection.service)},
            {"destination", end(connection.destination)}};
  if (!connection.persistence_engine.empty()) {
    json["persistence_engine"] = connection.persistence_engine;
    json["persistence_data"] = connection.persistence_data;
  }
  return text(json);
}

std::string to_json(const Daemon& daemon) {
  return text(Json{{"state", daemon.state == Daemon::State::master ? "master" : "backup"},
                   {"interface", daemon.interface},
                   {"sync_id", daemon.sync_id},
                   {"max_length", daemon.max_length},
                   {"group", daemon.group ? to_string(*daemon.group) : ""},
                   {"port", daemon.port},
                   {"ttl", daemon.ttl}});
}

std::string to_json(const Timeouts& timeouts) {
  return text(
      Json{{"tcp", timeouts.tcp.count()}, {"tcp_fin", timeouts.tcp_fin.count()}, {"udp", timeouts.udp.count()}});
}

std::string to_json(const Info& info) {
  const auto part = [&](unsigned shift) { return std::to_string(info.version >> shift & 255); };
  return text(Json{{"version", part(16) + "." + part(8) + "." + part(0)},
                   {"connection_table_size", info.connection_table_size}});
}

std::string json_string(const std::string& string) { return text(Json(string)); }

}  // namespace ipvs
