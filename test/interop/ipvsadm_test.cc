// ipvsctl beside ipvsadm: the command lines of ipvsadm.cases, each through both, in a pair of namespaces that began
// alike.
#include <fcntl.h>
#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "ipvs/diff.h"
#include "ipvs/netlink_kernel.h"
#include "test/catch.h"
#include "test/interop/namespace.h"
#include "test/interop/program.h"

using namespace ipvs;

namespace {

struct Case {
  int line = 0;
  std::string text;
  bool differs = false;  ///< on purpose
  std::vector<std::string> words;
  std::string input;

  /// Whether it only reads: then both programs run in one namespace, as the kernel's own order is each namespace's.
  [[nodiscard]] bool only_lists() const {
    return words[0].starts_with("-L") || words[0].starts_with("-l") || words[0].starts_with("-S");
  }
};

/// A network namespace of a program's own, and a view of its table.
class Side {
 public:
  explicit Side(std::string program) : program_(std::move(program)), kernel_(open_kernel()) {
    namespace_ = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    REQUIRE(namespace_ >= 0);
  }
  Side(const Side&) = delete;
  ~Side() { ::close(namespace_); }

  Outcome run(const Case& each) { return run_as(program_, each); }

  /// Runs another program here.
  Outcome run_as(const std::string& program, const Case& each) {
    REQUIRE(::setns(namespace_, CLONE_NEWNET) == 0);
    std::vector<std::string> words = each.words;
    words.insert(words.begin(), program);
    return run_program(std::move(words), each.input);
  }

  Table table() {
    const auto snapshot = kernel_.list();
    REQUIRE(snapshot);
    return table_of(*snapshot);
  }

  /// Daemons and timeouts.
  std::string rest() {
    const auto timeouts = kernel_.timeouts();
    const auto daemons = kernel_.daemons();
    REQUIRE((timeouts && daemons));
    std::string text =
        fmt::format("timeouts {} {} {}\n", timeouts->tcp.count(), timeouts->tcp_fin.count(), timeouts->udp.count());
    for (const Daemon& daemon : *daemons) {
      text += fmt::format("{} {} {} {} {} {} {}\n", static_cast<int>(daemon.state), daemon.interface, daemon.sync_id,
                          daemon.max_length, daemon.group ? to_string(*daemon.group) : "", daemon.port, daemon.ttl);
    }
    return text;
  }

 private:
  static NetlinkKernel open_kernel() {
    enter_fresh_namespace();
    auto kernel = NetlinkKernel::open();
    if (!kernel) FAIL(kernel.error().message);
    return std::move(*kernel);
  }

  std::string program_;
  NetlinkKernel kernel_;
  int namespace_;
};

Case parse_case(int line, std::string text) {
  Case parsed{.line = line, .text = text, .differs = text.starts_with('!'), .words = {}, .input = {}};
  if (parsed.differs) text.erase(0, 1);
  if (const std::size_t input = text.find(" <<"); input != text.npos) {
    parsed.input = text.substr(std::min(text.size(), input + 4));
    std::ranges::replace(parsed.input, '|', '\n');
    text.resize(input);
  }
  std::istringstream words(text);
  for (std::string word; words >> word;) parsed.words.push_back(word == "''" ? "" : word);
  return parsed;
}

/// The groups of cases, each for fresh namespaces.
std::vector<std::vector<Case>> read_cases() {
  std::ifstream file("test/interop/ipvsadm.cases");
  if (!file) FAIL("cannot read test/interop/ipvsadm.cases; run this from the checkout");
  std::vector<std::vector<Case>> groups(1);
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty()) groups.emplace_back();
    if (!line.empty() && !line.starts_with('#')) groups.back().push_back(parse_case(number, line));
  }
  return groups;
}

}  // namespace

TEST_CASE("ipvsctl writes, returns and leaves in the kernel what ipvsadm does") {
  if (run_program({"ipvsadm", "--version"}).status != 0) FAIL("ipvsadm is not here: install the package ipvsadm");
  int alike = 0, different = 0;
  for (const auto& group : read_cases()) {
    if (group.empty()) continue;
    Side theirs("ipvsadm");
    Side ours(IPVSCTL);
    for (const Case& each : group) {
      INFO("test/interop/ipvsadm.cases:" << each.line << ": " << each.text);
      const Outcome expected = theirs.run(each);
      const Outcome outcome = each.only_lists() ? theirs.run_as(IPVSCTL, each) : ours.run(each);
      const Table expected_table = theirs.table();
      const Table table = ours.table();
      INFO("ipvsadm said: " << expected.err << "ipvsctl said: " << outcome.err);
      if (each.differs) {
        CHECK((outcome.out != expected.out || outcome.status != expected.status || table != expected_table));
        ++different;
        continue;
      }
      ++alike;
      CHECK(outcome.out == expected.out);
      CHECK(outcome.status == expected.status);
      CHECK(outcome.err.empty() == expected.err.empty());
      std::string difference;
      for (const Op& op : diff(expected_table, table)) difference += to_string(op) + "\n";
      REQUIRE(difference == "");
      CHECK(ours.rest() == theirs.rest());
    }
  }
  WARN(alike << " command lines were alike, " << different << " different on purpose");
  CHECK(alike >= 200);
}
