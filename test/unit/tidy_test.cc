// Holds the sources to the house's rules. Runs in the checkout's top folder.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "test/catch.h"

namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

const std::set<std::string> modules = {"net", "ipvs", "checkers", "vrrp", "config", "director"};

/// What each module may include of the others: a folder, or a single header of one.
const std::map<std::string, std::set<std::string>> floors = {
    {"net", {}},
    {"ipvs", {"net"}},
    {"checkers", {"net"}},
    {"vrrp", {"net"}},
    {"config", {"net", "ipvs/types.h", "checkers/spec.h", "vrrp/spec.h"}},
    {"director", {"net", "ipvs", "checkers", "vrrp", "config"}},
};

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

std::string folder_of(const std::string& path) { return path.substr(0, path.find('/')); }

bool allowed(const std::string& module, const std::string& include) {
  const auto folder = folder_of(include);
  if (!modules.contains(folder) || folder == module) return true;
  return floors.at(module).contains(folder) || floors.at(module).contains(include);
}

std::size_t columns(const std::string& line) {
  return static_cast<std::size_t>(std::ranges::count_if(line, [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

TEST_CASE("the checkout is where this test runs") { REQUIRE(sources(modules).size() > 50); }

TEST_CASE("includes point down only") {
  CHECK(allowed("config", "vrrp/spec.h"));
  CHECK_FALSE(allowed("config", "vrrp/machine.h"));
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
      {"yaml-cpp/", {"config"}},
      {"netlink/", {"net"}},
      {"microhttpd.h", {"director"}},
      {"curl/", {"director"}},
      {"CLI/", {"director"}},
      {"spdlog/", {"director"}},
      {"openssl/", {"checkers", "config", "vrrp"}},
  };
  for (const auto& file : sources(modules)) {
    for (const auto& include : includes(file)) {
      for (const auto& [library, folders] : rooms) {
        if (!include.starts_with(library)) continue;
        INFO(file.path << " includes " << include);
        CHECK(folders.contains(folder_of(file.path)));
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
  for (const auto& file : sources(modules)) {
    for (const auto& line : file.lines) {
      INFO(file.path << ": " << line);
      const auto at = line.find("assert(");
      CHECK((at == std::string::npos || (at >= 7 && line.substr(at - 7, 7) == "static_")));
      CHECK(line.find("<cassert>") == std::string::npos);
    }
  }
}

TEST_CASE("a time is written in one place") {
  for (const auto& file : sources(modules)) {
    if (file.path == "net/time_text.cc") continue;
    for (const auto& line : file.lines) {
      INFO(file.path << ": " << line);
      for (const char* other : {"gmtime", "localtime", "strftime", "fmt/chrono.h", "%Y-%m-%d"}) {
        if (file.path == "director/log.cc" && other == std::string("%Y-%m-%d")) continue;  // which writes the same
        CHECK(line.find(other) == std::string::npos);
      }
    }
  }
}

TEST_CASE("no clock is read but by the loop, the log's side and the shells") {
  // A pure core that asks for the time could not be simulated.
  const std::set<std::string> pure = {
      "vrrp/machine.cc",          "vrrp/group.cc", "vrrp/advert.cc", "checkers/health.cc", "checkers/schedule.cc",
      "director/plan.cc",         "ipvs/diff.cc",  "ipvs/encode.cc", "ipvs/decode.cc",     "config/read.cc",
      "checkers/http_response.cc"};
  std::set<std::string> seen;
  for (const auto& file : sources(modules)) {
    if (!pure.contains(file.path)) continue;
    seen.insert(file.path);
    for (const auto& line : file.lines) {
      INFO(file.path << ": " << line);
      CHECK(line.find("::now()") == std::string::npos);
    }
    for (const auto& include : includes(file)) {
      INFO(file.path << " includes " << include);
      CHECK(include != "net/fd.h");
      CHECK(include != "net/loop.h");
      CHECK(include != "net/netlink.h");
    }
  }
  CHECK(seen == pure);
}
