#include "ipvs/ctl/watch.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace ipvs {

namespace {

struct Rates {
  double connections = 0, packets_in = 0, packets_out = 0, bytes_in = 0, bytes_out = 0;
};

/// `before` is null for what was not there then.
Rates rates(const Stats* before, const Stats& now, double seconds) {
  if (!before || seconds <= 0) {
    return {.connections = static_cast<double>(now.connection_rate),
            .packets_in = static_cast<double>(now.packet_rate_in),
            .packets_out = static_cast<double>(now.packet_rate_out),
            .bytes_in = static_cast<double>(now.byte_rate_in),
            .bytes_out = static_cast<double>(now.byte_rate_out)};
  }
  // Counters only fall when somebody has zeroed them.
  const auto rate = [&](std::uint64_t from, std::uint64_t to) {
    return static_cast<double>(to >= from ? to - from : to) / seconds;
  };
  return {.connections = rate(before->connections, now.connections),
          .packets_in = rate(before->packets_in, now.packets_in),
          .packets_out = rate(before->packets_out, now.packets_out),
          .bytes_in = rate(before->bytes_in, now.bytes_in),
          .bytes_out = rate(before->bytes_out, now.bytes_out)};
}

/// Six columns: "0", "999.9", "12.3k", "4.5M".
std::string short_number(double number) {
  constexpr std::string_view units[] = {"", "k", "M", "G", "T", "P"};
  std::size_t unit = 0;
  for (; number >= 999.95 && unit + 1 < std::size(units); ++unit) number /= 1000;
  return fmt::format("{:.{}f}{}", number, number == 0 || (unit == 0 && number >= 99.95) ? 0 : 1, units[unit]);
}

constexpr std::string_view columns = "{:<44} {:>6} {:>7} {:>8} {:>7} {:>8} {:>9} {:>7} {:>7}";

std::string row(std::string_view name, std::string_view weight, std::string_view active, std::string_view inactive,
                const Rates& r) {
  return fmt::format(fmt::runtime(columns), name, weight, active, inactive, short_number(r.connections),
                     short_number(r.packets_in), short_number(r.packets_out), short_number(r.bytes_in),
                     short_number(r.bytes_out));
}

double seconds_between(const Sample* before, const Sample& now) {
  return before ? std::chrono::duration<double>(now.at - before->at).count() : 0;
}

const ServiceStatus* find(const Sample* sample, const ServiceKey& key) {
  if (!sample) return nullptr;
  const auto found = sample->snapshot.find(key);
  return found == sample->snapshot.end() ? nullptr : &found->second;
}

const Stats* find(const ServiceStatus* service, const DestinationKey& key) {
  if (!service) return nullptr;
  const auto found = service->destinations.find(key);
  return found == service->destinations.end() ? nullptr : &found->second.stats;
}

nlohmann::ordered_json to_json(const Rates& r) {
  return {{"connections", r.connections},
          {"packets_in", r.packets_in},
          {"packets_out", r.packets_out},
          {"bytes_in", r.bytes_in},
          {"bytes_out", r.bytes_out}};
}

}  // namespace

std::string watch_frame(const Sample* before, const Sample& now, NameResolver& namer, std::size_t width,
                        std::size_t height) {
  const double seconds = seconds_between(before, now);
  std::vector<std::string> lines = {fmt::format(fmt::runtime(columns), "", "weight", "active", "inactive", "conn/s",
                                                "pkt/s in", "pkt/s out", "B/s in", "B/s out")};
  for (const auto& [key, service] : now.snapshot) {
    const ServiceStatus* earlier = find(before, key);
    std::uint64_t active = 0, inactive = 0;
    for (const auto& [destination, status] : service.destinations) {
      active += status.active;
      inactive += status.inactive;
    }
    const std::string name = key.protocol == Protocol::none ? to_string(key)
                                                            : fmt::format("{} {}", to_string(key.protocol),
                                                                          namer.endpoint(key.endpoint, key.protocol));
    lines.push_back(row(fmt::format("{} {}", name, service.service.scheduler), "", std::to_string(active),
                        std::to_string(inactive), rates(earlier ? &earlier->stats : nullptr, service.stats, seconds)));
    for (const auto& [destination, status] : service.destinations) {
      lines.push_back(row("  " + namer.endpoint(destination.endpoint, key.protocol),
                          std::to_string(status.destination.weight), std::to_string(status.active),
                          std::to_string(status.inactive), rates(find(earlier, destination), status.stats, seconds)));
    }
  }
  std::string text;
  const std::size_t shown = lines.size() > height ? height - 1 : lines.size();
  for (std::size_t i = 0; i < shown; ++i) text += lines[i].substr(0, width) + "\n";
  if (shown < lines.size()) text += fmt::format("... and {} more lines\n", lines.size() - shown);
  return text;
}

std::string watch_json(const Sample* before, const Sample& now) {
  const double seconds = seconds_between(before, now);
  auto services = nlohmann::ordered_json::array();
  for (const auto& [key, service] : now.snapshot) {
    const ServiceStatus* earlier = find(before, key);
    auto destinations = nlohmann::ordered_json::array();
    for (const auto& [destination, status] : service.destinations) {
      destinations.push_back({{"destination", to_string(destination)},
                              {"weight", status.destination.weight},
                              {"active", status.active},
                              {"inactive", status.inactive},
                              {"rates", to_json(rates(find(earlier, destination), status.stats, seconds))}});
    }
    services.push_back({{"service", to_string(key)},
                        {"rates", to_json(rates(earlier ? &earlier->stats : nullptr, service.stats, seconds))},
                        {"destinations", std::move(destinations)}});
  }
  return nlohmann::ordered_json{{"services", std::move(services)}}.dump() + "\n";
}

}  // namespace ipvs
