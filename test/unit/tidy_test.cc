// Holds the sources to the house's rules. Runs in the checkout's top folder.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "test/catch.h"

namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

const std::set<std::string> modules = {"net", "ipvs", "checkers", "vrrp", "config", "director"};

/// What each folder may include of the others: a folder without those below it, or a single header.
const std::map<std::string, std::set<std::string>> floors = {
    {"net", {}},
    {"ipvs", {"net"}},
    {"ipvs/ctl", {"net", "ipvs"}},
    {"checkers", {"net", "checkers/probes"}},
    {"checkers/probes", {"net", "checkers/probe.h", "checkers/result.h", "checkers/spec.h", "checkers/text.h"}},
    {"vrrp", {"net"}},
    {"config/yaml", {"net"}},
    {"config/schema", {"net", "config/yaml", "checkers/spec.h"}},
    {"config/keys", {"net", "config/yaml", "config/schema", "config/cluster.h", "checkers/spec.h"}},
    {"config/rules", {"net", "config/yaml", "config/schema", "config/cluster.h"}},
    {"config",
     {"net", "config/yaml", "config/schema", "config/keys", "config/rules", "ipvs/types.h", "checkers/spec.h",
      "vrrp/spec.h"}},
    {"config/import", {"net", "config/schema", "config/load.h", "config/yaml/diagnostics.h", "ipvs/types.h"}},
    {"director/orders", {"net"}},
    {"director/resources", {"net", "config/cluster.h"}},
    {"director/engine",
     {"net", "ipvs", "checkers", "checkers/probes/dns_message.h", "vrrp", "config", "config/yaml/diagnostics.h",
      "director/orders", "director/resources"}},
    {"director/control", {"net", "ipvs/types.h", "config/cluster.h", "director/engine", "director/orders/order.h"}},
    {"director/usage", {"config/yaml/diagnostics.h"}},
    {"director/daemon",
     {"net", "ipvs", "config", "director/engine", "director/control", "director/usage",
      "director/orders/peer_connections.h", "director/resources/systemd_units.h"}},
    {"director/doctor",
     {"net", "ipvs", "vrrp", "config", "director/control/http_client.h", "director/engine/agreement.h",
      "director/resources/polkit_rule.h"}},
    {"director/ctl",
     {"net", "ipvs", "ipvs/ctl", "config", "config/import", "director/doctor", "director/usage",
      "director/control/http_client.h", "director/engine/change.h", "director/engine/change_json.h",
      "director/engine/cluster_from_kernel.h", "director/resources/polkit_rule.h"}},
};

/// What decides, reads and words, from what it is given: whole folders, and files without their extension.
const std::set<std::string> pure_folders = {"config/yaml", "config/schema", "config/keys", "config/rules",
                                            "config/import"};
const std::set<std::string> pure_files = {
    "net/address", "net/endpoint", "net/error", "net/links", "net/netlink_message", "net/attributes",
    // the kernel's table
    "ipvs/types", "ipvs/op", "ipvs/diff", "ipvs/encode", "ipvs/decode", "ipvs/op_error", "ipvs/ctl/connections",
    "ipvs/ctl/draft", "ipvs/ctl/json", "ipvs/ctl/listing", "ipvs/ctl/names", "ipvs/ctl/options", "ipvs/ctl/rule_text",
    "ipvs/ctl/rules",
    // checks
    "checkers/health", "checkers/schedule", "checkers/spec", "checkers/text", "checkers/result",
    "checkers/probes/advice_line", "checkers/probes/dns_message", "checkers/probes/http_response",
    "checkers/probes/match", "checkers/probes/redirect",
    // VRRP
    "vrrp/machine", "vrrp/sync_group_state", "vrrp/advert", "vrrp/advert_v2", "vrrp/challenges", "vrrp/hello",
    "vrrp/sequences", "vrrp/signature", "vrrp/spec", "vrrp/status",
    // the cluster file
    "config/cluster", "config/ranges", "config/service_chunks",
    // the director
    "director/engine/agreement", "director/engine/change", "director/engine/change_json",
    "director/engine/check_settings", "director/engine/cluster_from_kernel", "director/engine/drains",
    "director/engine/event_types", "director/engine/event", "director/engine/server_health", "director/engine/marks",
    "director/engine/node_names", "director/engine/path_probation", "director/engine/path_settings",
    "director/engine/observed_state", "director/engine/plan", "director/engine/problems",
    "director/control/connections", "director/engine/request_error", "director/engine/sent_files",
    "director/engine/settings", "director/engine/table_text", "director/engine/vrrp_status",
    "director/engine/weight_origin", "director/orders/order", "director/orders/order_book",
    "director/orders/order_exchange", "director/orders/order_index", "director/orders/order_json",
    "director/orders/order_message", "director/orders/report", "director/orders/report_exchange",
    "director/engine/report_differences", "director/resources/polkit_rule", "director/resources/resource_group",
    "director/resources/unit_state", "director/doctor/doctor", "director/doctor/doctor_text", "director/doctor/finding",
    "director/ctl/answer_text", "director/ctl/change_text", "director/ctl/nodes_text", "director/ctl/status_text",
    "director/ctl/vrrp_text"};

struct File {
  std::string path;
  Strings lines;
};

std::vector<File> sources(const std::set<std::string>& folders) {
  std::vector<File> files;
  for (const auto& folder : folders) {
    if (!fs::exists(folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      const auto extension = entry.path().extension();
      if (extension != ".h" && extension != ".cc") continue;
      File file{.path = entry.path().generic_string(), .lines = {}};
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) file.lines.push_back(line);
      files.push_back(std::move(file));
    }
  }
  return files;
}

/// What `#include "..."` and `#include <...>` name.
Strings includes(const File& file) {
  Strings names;
  for (const auto& line : file.lines) {
    if (!line.starts_with("#include ") || line.size() < 12) continue;
    names.push_back(line.substr(10, line.find_first_of("\">", 10) - 10));
  }
  return names;
}

std::string module_of(const std::string& path) { return path.substr(0, path.find('/')); }

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

bool allowed(const std::string& folder, const std::string& include) {
  const auto other = folder_of(include);
  if (!modules.contains(module_of(include)) || other == folder) return true;
  const auto& below = floors.at(folder);
  return below.contains(other) || below.contains(include);
}

std::size_t columns(const std::string& line) {
  return static_cast<std::size_t>(std::ranges::count_if(line, [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

TEST_CASE("the checkout is where this test runs") { REQUIRE(sources(modules).size() > 50); }

TEST_CASE("includes point down only") {
  CHECK(allowed("config", "vrrp/spec.h"));
  CHECK_FALSE(allowed("config", "vrrp/machine.h"));
  CHECK_FALSE(allowed("config/yaml", "config/schema/shape.h"));
  CHECK_FALSE(allowed("director/engine", "director/control/api.h"));
  CHECK_FALSE(allowed("vrrp", "ipvs/types.h"));
  for (const auto& file : sources(modules)) {
    for (const auto& include : includes(file)) {
      INFO(file.path << " includes " << include);
      CHECK(allowed(folder_of(file.path), include));
    }
  }
}

TEST_CASE("each library stays in its room") {
  const std::map<std::string, std::set<std::string>> rooms = {
      {"yaml-cpp/", {"config"}},      {"netlink/", {"net"}},
      {"microhttpd.h", {"director"}}, {"curl/", {"director"}},
      {"CLI/", {"director"}},         {"spdlog/", {"director"}},
      {"systemd/", {"director"}},     {"openssl/", {"checkers", "config", "vrrp", "director"}},
  };
  for (const auto& file : sources(modules)) {
    for (const auto& include : includes(file)) {
      for (const auto& [library, folders] : rooms) {
        if (!include.starts_with(library)) continue;
        INFO(file.path << " includes " << include);
        CHECK(folders.contains(module_of(file.path)));
      }
    }
  }
}

TEST_CASE("files are one idea long, lines fit, and a header begins with its guard") {
  std::set<std::string> folders = modules;
  folders.insert("test");
  for (const auto& file : sources(folders)) {
    INFO(file.path);
    CHECK(file.lines.size() <= 400);
    for (const auto& line : file.lines) {
      INFO(line);
      CHECK(columns(line) <= 120);
      CHECK((line.empty() || line.back() != ' '));
    }
    if (file.path.ends_with(".h")) CHECK(file.lines.front() == "#pragma once");
  }
}

TEST_CASE("an invariant is checked in every build") {
  // assert() is gone from a release; net/check.h stays.
  const std::regex unchecked(R"(\bfind(_if)?\([^()]*\)->)");
  for (const auto& file : sources(modules)) {
    for (const auto& line : file.lines) {
      INFO(file.path << ": " << line);
      const auto at = line.find("assert(");
      CHECK((at == std::string::npos || (at >= 7 && line.substr(at - 7, 7) == "static_")));
      CHECK(line.find("<cassert>") == std::string::npos);
      // What is looked for may not be there: a condition, or net::must_exist and net::must_find.
      CHECK_FALSE((line.contains(")->") && std::regex_search(line, unchecked)));
    }
  }
}

TEST_CASE("a time is written in one place") {
  for (const auto& file : sources(modules)) {
    if (file.path == "net/time_text.cc") continue;
    for (const auto& line : file.lines) {
      INFO(file.path << ": " << line);
      for (const char* other : {"gmtime", "localtime", "strftime", "fmt/chrono.h", "%Y-%m-%d"}) {
        if (file.path == "director/engine/log.cc" && other == std::string("%Y-%m-%d"))
          continue;  // which writes the same
        CHECK(line.find(other) == std::string::npos);
      }
    }
  }
}

TEST_CASE("who decides reads no clock, and reaches nothing outside") {
  // A pure core that asks for the time, or for a file, could not be simulated.
  const std::set<std::string> outside = {"net/clock.h",   "net/fd.h",      "net/host.h", "net/loop.h",
                                         "net/netlink.h", "ipvs/kernel.h", "fstream",    "filesystem",
                                         "thread",        "unistd.h",      "fcntl.h",    "poll.h"};
  std::set<std::string> seen;
  for (const auto& file : sources(modules)) {
    const auto stem = file.path.substr(0, file.path.rfind('.'));
    if (pure_files.contains(stem)) seen.insert(stem);
    if (!pure_files.contains(stem) && !pure_folders.contains(folder_of(file.path))) continue;
    for (const auto& line : file.lines) {
      INFO(file.path << ": " << line);
      CHECK(line.find("::now()") == std::string::npos);
      CHECK(line.find("monotonic_now") == std::string::npos);
    }
    for (const auto& include : includes(file)) {
      INFO(file.path << " includes " << include);
      CHECK_FALSE(outside.contains(include));
    }
  }
  CHECK(seen == pure_files);
}
