#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ipvs/ctl/names.h"

/// The kernel's connection table, as /proc/net/ip_vs_conn shows it.
namespace ipvs {

struct Connection {
  Protocol protocol = Protocol::tcp;
  net::Endpoint client;   ///< port 0 in a persistence template
  net::Endpoint service;  ///< as the client addressed it
  net::Endpoint destination{};
  std::string state{};  ///< "ESTABLISHED", "UDP", ...; of a template "ASSURED" or "NONE"
  std::chrono::seconds expires{0};
  std::string persistence_engine{};  ///< "sip", else empty
  std::string persistence_data{};

  auto operator<=>(const Connection&) const = default;
};

/// A line of the file; nothing for its header and for what is no such line.
[[nodiscard]] std::optional<Connection> parse_connection(std::string_view line);

/// ipvsadm's table of them.
void append_connections_header(std::string& out, bool persistence_data);
void append_connection(std::string& out, const Connection& connection, bool persistence_data, NameResolver& namer);

}  // namespace ipvs
