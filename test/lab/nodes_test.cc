// What two directors tell each other of themselves.

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "test/catch.h"
#include "test/lab/pair.h"
#include "test/lab/process.h"

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

lab::Pair::Options nat() {
  return {.forward = lab::Pair::Forward::nat, .advertise = 100ms, .programs = lab::programs_folder()};
}

/// A pair whose virtual routers sign, with the same key or each with its own.
struct Signing {
  lab::Pair pair{nat()};
  std::string file = pair.cluster_file();

  explicit Signing(const std::string& secret_of_lb2 = "a secret of the lab") {
    const auto keys = pair.folder / "vrrp.keys";
    std::ofstream(keys) << "1 a secret of the lab\n";
    std::filesystem::permissions(keys, std::filesystem::perms::owner_read);
    for (std::size_t at = 0; (at = file.find("    preempt: ", at)) != std::string::npos;) {
      const std::string line = "    authentication: { keys: " + keys.string() + " }\n";
      file.insert(at, line);
      at += line.size() + 1;
    }
    pair.write(file);
    pair.start(pair.lb1);
    REQUIRE(lab::wait_until([&] { return pair.status(pair.lb1).is_object(); }, 10s));  // it has read its key
    std::ofstream(keys) << "1 " << secret_of_lb2 << "\n";
    pair.start(pair.lb2);
  }

  /// What `director` says of the other: "same", "differs", "unknown".
  std::string agreement(const lab::Pair::Director& director) {
    const auto status = pair.status(director);
    const auto nodes = status.is_object() ? status.value("nodes", json::array()) : json::array();
    return nodes.size() == 1 ? nodes[0].value("agreement", "") : nodes.dump();
  }
  bool both(const std::string& agreement_is) {
    return agreement(pair.lb1) == agreement_is && agreement(pair.lb2) == agreement_is;
  }
  bool both_say(const std::string& text, std::vector<std::string> command) {
    return pair.ctl(pair.lb1, command).text.contains(text) && pair.ctl(pair.lb2, command).text.contains(text);
  }
};

}  // namespace

TEST_CASE("both directors see within seconds that their files differ, and that they agree again", "[nodes]") {
  Signing site;
  auto& pair = site.pair;
  INFO(pair.evidence());
  REQUIRE(lab::wait_until([&] { return site.both("same"); }, 10s));

  pair.write(site.file + "# a word more\n");
  REQUIRE(pair.ctl(pair.lb1, {"reload"}).status == 0);
  const auto began = net::monotonic_now();
  CHECK(lab::wait_until([&] { return site.both("differs"); }, 4s));
  CHECK_FALSE(site.both_say("another cluster file", {"events"}));
  CHECK(lab::wait_until([&] { return site.both_say("has another cluster file in force", {"events"}); }, 20s));
  CHECK(net::monotonic_now() - began > 9s);
  CHECK(site.both_say("problem: node lb", {"status"}));
  CHECK(site.both_say("differs: has another cluster file in force", {"vrrp"}));

  REQUIRE(pair.ctl(pair.lb2, {"reload"}).status == 0);
  CHECK(lab::wait_until([&] { return site.both_say("has the same cluster file in force again", {"events"}); }, 5s));
  CHECK(site.both("same"));
  CHECK_FALSE(site.both_say("problem: node lb", {"status"}));

  // It is so in the other role too.
  REQUIRE(pair.ctl(pair.lb1, {"failover", "front"}).status == 0);
  REQUIRE(lab::wait_until([&] { return pair.holds_both(pair.lb2); }, 3s));
  pair.write(site.file);
  REQUIRE(pair.ctl(pair.lb1, {"reload"}).status == 0);
  CHECK(lab::wait_until([&] { return site.both("differs"); }, 4s));
}

TEST_CASE("two masters by different keys are a problem on both: who was heard, why not believed, what to do",
          "[nodes]") {
  Signing site("another secret here");
  auto& pair = site.pair;
  INFO(pair.evidence());
  const auto says = [&](const lab::Pair::Director& director, const std::string& text) {
    return lab::wait_until([&] { return pair.ctl(director, {"status"}).text.contains(text); }, 20s).has_value();
  };
  CHECK(says(pair.lb1, "problem: vrrp front: advertisements from lb2 ("));
  CHECK(says(pair.lb2, "problem: vrrp front: advertisements from lb1 ("));
  CHECK(says(pair.lb1, "it is signed with another key"));
  CHECK(says(pair.lb1, "that node may be master too; give all nodes the same file of keys"));
}

TEST_CASE("without keys nothing is known of the others, and that is said", "[nodes]") {
  lab::Pair pair(nat());
  pair.start(pair.lb1);
  pair.start(pair.lb2);
  INFO(pair.evidence());
  REQUIRE(lab::wait_until([&] { return pair.holds_both(pair.lb1); }, 20s));
  lab::sleep_for(2s);
  CHECK(pair.ctl(pair.lb1, {"status"}).text.contains("node lb2: unknown: advertisements are not signed"));
  CHECK(pair.ctl(pair.lb2, {"vrrp"}).text.contains("node lb1: unknown: advertisements are not signed"));
}
