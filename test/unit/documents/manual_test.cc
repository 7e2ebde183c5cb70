// directord(8) and directorctl(8): what they list is what --help lists, and their examples do what they say.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include "pages.h"
#include "test/catch.h"
#include "test/unit/director/run.h"
#include "test/unit/director/scratch.h"

using director_test::run;
using namespace std::chrono_literals;

namespace {

/// Where descriptions begin in a line of --help, at the earliest.
constexpr std::size_t names_width = 28;

/// Lines of --help that begin an entry: two blanks, and what `first` says of the character behind them. Their names.
template <typename First>
pages::Lines entries_of(const std::string& help, First first) {
  pages::Lines entries;
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) {
    if (line.size() > 2 && line.starts_with("  ") && first(line[2])) entries.push_back(line.substr(2, names_width));
  }
  return entries;
}

/// Those that a program or command has, by its --help.
std::set<std::string> options_of(const std::string& command) {
  std::set<std::string> all;
  for (const auto& entry : entries_of(run(command + " --help").output, [](char c) { return c == '-'; })) {
    all.merge(pages::options_in(entry));
  }
  return all;
}

std::set<std::string> options_in(const pages::Lines& terms) {
  std::set<std::string> all;
  for (const auto& term : terms) all.merge(pages::options_in(term));
  return all;
}

std::string first_word(const std::string& text) { return text.substr(0, text.find_first_of(" \n")); }

/// A cluster file, another tool's, and the two programs, which here meet in this folder and not in /run.
class Place {
 public:
  Place() {
    std::ofstream(scratch_.path / "cluster.yaml")
        << "cluster: shop\n"
           "nodes:\n"
           "  lb1: { address: 127.0.0.1, priority: 150 }\n"
           "  lb2: { address: 127.0.0.2, priority: 100 }\n"
           "vrrp:\n"
           "  front: { router_id: 51, interface: lo, addresses: [127.0.0.5/8], resources: [a.service] }\n"
           "services:\n"
           "  web:\n"
           "    listen: 127.0.0.5:80\n"
           "    check: { tcp: {} }\n"
           "    servers:\n"
           "      web1: { address: 127.0.0.1:81 }\n"
           "      web2: { address: 127.0.0.1:82 }\n";
    std::filesystem::copy_file("test/unit/config/imports/pair.keepalived", scratch_.path / "keepalived.conf");
    std::filesystem::create_directories(scratch_.path / "bin");
    program("directord", " \"$@\" --runtime-dir run");
    program("directorctl", " --socket run/control.sock \"$@\"");
  }
  ~Place() {
    if (daemon_ > 0) kill(daemon_, SIGTERM);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  director_test::Ended execute(const std::string& command) {
    return run("cd " + scratch_.path.string() + "; PATH=$PWD/bin:$PATH; " + command);
  }

  /// `command` ends with "&"; goes on when the daemon answers.
  void start(const std::string& command) {
    daemon_ = std::stoi(execute(command.substr(0, command.size() - 1) + ">log 2>&1 & echo $!").output);
    for (int attempt = 0; attempt < 500; ++attempt) {
      if (execute("directorctl status").status == 0) return;
      std::this_thread::sleep_for(10ms);
    }
    FAIL(execute("cat log").output);
  }

 private:
  void program(const std::string& name, const std::string& arguments) {
    const auto file = scratch_.path / "bin" / name;
    std::ofstream(file) << "#!/bin/sh\nexec " PROGRAMS "/" << name << arguments << "\n";
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }

  director_test::Scratch scratch_;
  pid_t daemon_ = 0;
};

void execute_all(const std::string& page) {
  Place place;
  const auto examples = pages::examples_of(pages::lines_of(page));
  REQUIRE(examples.size() >= 4);
  const bool starts_itself =
      std::ranges::any_of(examples, [](const auto& each) { return each.command.ends_with("&"); });
  if (!starts_itself) place.start("directord --config cluster.yaml --node lb1 --dry-run &");
  for (const auto& example : examples) {
    INFO(example.command);
    if (example.command.ends_with("&")) {
      place.start(example.command);
      continue;
    }
    const auto ended = place.execute(example.command);
    INFO(ended.output);
    // A dry run has no virtual routers: its refusal shows that the command was understood.
    const bool is_failover = example.command.starts_with("directorctl failover");
    CHECK(ended.status == (is_failover ? 1 : example.status));
    if (is_failover) CHECK_THAT(ended.output, Catch::ContainsSubstring("front"));
  }
}

}  // namespace

TEST_CASE("directord(8) lists the options of directord --help") {
  const auto page = pages::lines_of("docs/directord.8");
  CHECK(options_in(pages::terms_of(page, "OPTIONS")) == options_of(PROGRAMS "/directord"));
}

TEST_CASE("directorctl(8) lists the commands of directorctl --help, and each one's options") {
  const std::string program = PROGRAMS "/directorctl";
  const auto page = pages::lines_of("docs/directorctl.8");
  auto everywhere = options_of(program);
  everywhere.insert("--json");
  CHECK(options_in(pages::terms_of(page, "OPTIONS")) == everywhere);

  const auto help = run(program + " --help").output;
  const auto at = std::min(help.find("Subcommands:"), help.find("SUBCOMMANDS:"));  // by the library's version
  REQUIRE(at != std::string::npos);
  std::set<std::string> commands;
  for (const auto& entry : entries_of(help.substr(at), [](char c) { return c >= 'a' && c <= 'z'; })) {
    commands.insert(first_word(entry));
  }
  CHECK(commands.size() >= 18);
  std::set<std::string> described;
  for (const auto& term : pages::terms_of(page, "COMMANDS")) {
    const auto command = first_word(term);
    INFO(command);
    CHECK(described.insert(command).second);
    auto options = options_of(program + " " + command);
    for (const auto* common : {"-h", "--help", "--json"}) CHECK(options.erase(common) == 1);
    CHECK(pages::options_in(term) == options);
  }
  CHECK(described == commands);
}

TEST_CASE("every command has an example") {
  std::set<std::string> shown;
  const auto page = pages::lines_of("docs/directorctl.8");
  for (const auto& example : pages::examples_of(page)) {
    const auto at = example.command.find("directorctl ");
    REQUIRE(at != std::string::npos);
    shown.insert(first_word(example.command.substr(at + 12)));
  }
  for (const auto& term : pages::terms_of(page, "COMMANDS")) CHECK(shown.contains(first_word(term)));
}

TEST_CASE("every example of directord(8) does what it says") { execute_all("docs/directord.8"); }

TEST_CASE("every example of directorctl(8) does what it says, against a dry run") { execute_all("docs/directorctl.8"); }

TEST_CASE("groff has nothing to say against a manual page") {
  for (const auto* page : {"directord.8", "directorctl.8", "ipvsctl.8", "cluster.yaml.5"}) {
    INFO(page);
    const auto ended = run(std::string("groff -man -Tutf8 -ww -z docs/") + page);
    CHECK(ended.status == 0);
    CHECK(ended.output == "");
  }
}
