#include "test/lab/evidence.h"

#include <fmt/format.h>

#include <cstdlib>
#include <deque>
#include <fstream>

#include "test/lab/ipvs_table.h"

namespace lab {

namespace {

std::string last_lines(const std::filesystem::path& file, std::size_t count) {
  std::ifstream in(file);
  std::deque<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
    if (lines.size() > count) lines.pop_front();
  }
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

}  // namespace

std::string evidence(const Topology& topology, const std::vector<std::filesystem::path>& logs) {
  std::string text;
  for (const auto& host : topology.hosts()) {
    text += fmt::format("==== {}: addresses\n{}", host.name, run(host, {"ip", "-br", "address"}).text);
    text += fmt::format("==== {}: neighbours\n{}", host.name, run(host, {"ip", "neighbour"}).text);
    const auto table = host.proc_net("ip_vs");
    if (!parse_ipvs_table(table).empty()) text += fmt::format("==== {}: /proc/net/ip_vs\n{}", host.name, table);
  }
  for (const auto& log : logs) text += fmt::format("==== {}: last lines\n{}", log.string(), last_lines(log, 40));
  return text;
}

std::filesystem::path output_folder() {
  const char* out = std::getenv("LAB_OUT");
  const std::filesystem::path folder = out != nullptr && *out != '\0' ? out : "/run/lab-out";
  std::filesystem::create_directories(folder);
  return folder;
}

}  // namespace lab
