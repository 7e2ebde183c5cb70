#include "test/lab/ipvs_table.h"

#include <fmt/format.h>

#include <charconv>
#include <sstream>

namespace lab {

namespace {

/// "C0A8C80B:0050" -> "192.168.200.11:80". IPv6 is printed in the usual way already, but for the port.
std::string readable(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return text;
  unsigned port = 0;
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), port, 16);
  if (text.starts_with('[')) return fmt::format("{}:{}", text.substr(0, colon), port);
  unsigned address = 0;
  std::from_chars(text.data(), text.data() + colon, address, 16);
  return fmt::format("{}.{}.{}.{}:{}", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255, port);
}

}  // namespace

std::vector<IpvsService> parse_ipvs_table(std::string_view text) {
  std::vector<IpvsService> services;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int heading = 0; heading < 3; ++heading) std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string first, endpoint;
    words >> first >> endpoint;
    if (first == "->" && !services.empty()) {
      IpvsDestination destination{.endpoint = readable(endpoint), .forward = {}};
      words >> destination.forward >> destination.weight >> destination.active >> destination.inactive;
      services.back().destinations.push_back(destination);
    } else {
      services.push_back({.protocol = first, .endpoint = readable(endpoint), .scheduler = {}, .destinations = {}});
      words >> services.back().scheduler;
    }
  }
  return services;
}

int weight_of(const Host& host, std::string_view endpoint) {
  for (const auto& service : parse_ipvs_table(host.proc_net("ip_vs")))
    for (const auto& destination : service.destinations)
      if (destination.endpoint == endpoint) return destination.weight;
  return 0;
}

}  // namespace lab
