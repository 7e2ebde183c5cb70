// A line of /proc/net/ip_vs_conn: protocol; client, service and destination, each an address and a port in hexadecimal;
// state; seconds to live; for templates of a persistence engine its name and data. IPv4 addresses are eight digits,
// IPv6 ones eight groups of four.
#include "ipvs/ctl/connections.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

namespace ipvs {

namespace {

/// Takes the next word off the line; empty at its end.
std::string_view next_word(std::string_view& line) {
  constexpr std::string_view spaces = " \t\n";
  line.remove_prefix(std::min(line.find_first_not_of(spaces), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(spaces));
  line.remove_prefix(word.size());
  return word;
}

template <class Int>
std::optional<Int> parse(std::string_view text, int base) {
  Int value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<net::Address> parse_address(std::string_view text) {
  std::array<std::byte, 16> bytes{};
  std::size_t digits = 0;
  for (const char c : text) {
    if (c == ':') continue;
    const auto digit = parse<unsigned>(std::string_view(&c, 1), 16);
    if (!digit || digits == 32) return std::nullopt;
    bytes[digits / 2] |= static_cast<std::byte>(digits % 2 == 0 ? *digit << 4 : *digit);
    ++digits;
  }
  if (digits != 8 && digits != 32) return std::nullopt;
  return net::Address::from_bytes(std::span(bytes).first(digits / 2));
}

std::optional<net::Endpoint> next_endpoint(std::string_view& line) {
  const auto address = parse_address(next_word(line));
  const auto port = parse<std::uint16_t>(next_word(line), 16);
  if (!address || !port) return std::nullopt;
  return net::Endpoint{.address = *address, .port = *port};
}

std::optional<Protocol> parse_protocol(std::string_view text) {
  if (text == "TCP") return Protocol::tcp;
  if (text == "UDP") return Protocol::udp;
  if (text == "SCTP") return Protocol::sctp;
  if (text == "IP") return Protocol::none;  // the template of a service named by its mark
  return std::nullopt;
}

}  // namespace

std::optional<Connection> parse_connection(std::string_view line) {
  const auto protocol = parse_protocol(next_word(line));
  if (!protocol) return std::nullopt;
  const auto client = next_endpoint(line);
  const auto service = client ? next_endpoint(line) : std::nullopt;
  const auto destination = service ? next_endpoint(line) : std::nullopt;
  const std::string_view state = next_word(line);
  const auto expires = parse<std::uint32_t>(next_word(line), 10);
  if (!destination || !expires) return std::nullopt;
  Connection connection{.protocol = *protocol,
                        .client = *client,
                        .service = *service,
                        .destination = *destination,
                        .state = std::string(state),
                        .expires = std::chrono::seconds(*expires),
                        .persistence_engine = std::string(next_word(line)),
                        .persistence_data = {}};
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  connection.persistence_data = line.substr(0, line.find('\n'));
  return connection;
}

void append_connections_header(std::string& out, bool persistence_data) {
  out += "IPVS connection entries\npro expire state       source             virtual            destination";
  if (persistence_data) out += "        pe name          pe_data";
  out += '\n';
}

void append_connection(std::string& out, const Connection& connection, bool persistence_data, NameResolver& namer) {
  const auto seconds = connection.expires.count();
  const auto end = [&](const net::Endpoint& endpoint) { return namer.endpoint(endpoint, connection.protocol); };
  const bool with_data = persistence_data && !connection.persistence_engine.empty();
  fmt::format_to(std::back_inserter(out), "{:<3} {:02}:{:02}  {:<11} {:<18} {:<18} {:<{}}",
                 protocol_column(connection.protocol, "IP"), seconds / 60, seconds % 60, connection.state,
                 end(connection.client), end(connection.service), end(connection.destination), with_data ? 16 : 0);
  if (with_data) {
    fmt::format_to(std::back_inserter(out), " {:<18} {}", connection.persistence_engine, connection.persistence_data);
  }
  out += '\n';
}

}  // namespace ipvs
