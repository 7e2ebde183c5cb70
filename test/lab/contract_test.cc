// Answers of the control API that a signing pair of version 0.1.0 gave, with roles, leases, peers and a kernel's table:
// today's gives them too. What needs none of these is asked in test/contract.
// Another version's are recorded by: PROGRAMS=build/old/0.1.0 ./dev lab --out build/lab-out -- upgrade_test "[.record]"

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "director/control/http_client.h"
#include "test/catch.h"
#include "test/contract/answers.h"
#include "test/lab/client.h"
#include "test/lab/evidence.h"
#include "test/lab/pair.h"

using namespace std::chrono_literals;
using lab::Pair;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

const contract::Names names = {"web/web1", "web/web2", "front", "back", "lb1", "lb2", "lb9", "nobody"};

/// A signing pair, lb1 the master.
class Asked {
 public:
  explicit Asked(const std::filesystem::path& programs)
      : pair_({.forward = Pair::Forward::nat, .advertise = 1s, .programs = programs}), file_(pair_.cluster_file()) {
    const auto keys = pair_.folder / "vrrp.keys";
    std::ofstream(keys) << "1 a secret of the lab\n";
    std::filesystem::permissions(keys, std::filesystem::perms::owner_read);
    for (std::size_t at = 0; (at = file_.find("    preempt: ", at)) != std::string::npos;) {
      const auto line = "    authentication: { keys: " + keys.string() + ", mode: enforce }\n";
      file_.insert(at, line);
      at += line.size() + 1;
    }
    pair_.write(file_);
    pair_.start(pair_.lb1);
    expect([&] { return pair_.holds_both(pair_.lb1); });
    pair_.start(pair_.lb2);
    expect([&] { return agree(pair_.lb1, "same") && agree(pair_.lb2, "same"); });
  }

  ordered_json answers() {
    look();
    refuse();
    ask(pair_.lb1, "POST", "/v1/vrrp/front/failover", R"({"to":"lb2"})");
    expect([&] { return pair_.holds_both(pair_.lb2) && !pair_.holds_any(pair_.lb1); });
    lab::sleep_for(2s);
    look();
    ctl(pair_.lb2, {"failover", "back", "--json"});
    expect([&] { return pair_.holds_both(pair_.lb1) && !pair_.holds_any(pair_.lb2); });
    ask(pair_.lb1, "PUT", "/v1/services/web/servers/web2/drain", R"({"reason":"kernel update"})");
    ask(pair_.lb1, "GET", "/v1/status");
    for (const auto& director : pair_.directors) ask(director, "GET", "/v1/events");

    pair_.write(file_ + "# a word more\n");
    ask(pair_.lb1, "POST", "/v1/reload");
    expect([&] { return !pair_.status(pair_.lb1)["problems"].empty(); });
    expect([&] { return !pair_.status(pair_.lb2)["problems"].empty(); });
    look();
    leave_a_full_state();
    return std::move(answers_);
  }

  /// With a drain, a weight and a server that is on its way out.
  [[nodiscard]] std::filesystem::path state_file() const {
    return pair_.runtime_folder(pair_.lb1) / "state" / "state.json";
  }

 private:
  void leave_a_full_state() {
    ask(pair_.lb1, "DELETE", "/v1/services/web/servers/web2/drain");
    ctl(pair_.lb1, {"weight", "web/web1", "5", "--json"});
    std::optional<lab::Download> download;
    for (int i = 0; i < 20 && (!download || download->server() != "web1"); ++i) {
      download.emplace(*pair_.client, pair_.service, 10s);
      expect([&] { return !download->server().empty(); });
    }
    ctl(pair_.lb1, {"drain", "web/web2", "--within", "1h", "--reason", "kernel \"update\""});
    constexpr std::string_view web1 = "      web1: { address: 192.168.200.11, weight: 3 }\n";
    pair_.write(std::string(file_).replace(file_.find(web1), web1.size(), ""));
    ask(pair_.lb1, "POST", "/v1/plan");
    ask(pair_.lb1, "POST", "/v1/reload");
    ask(pair_.lb1, "GET", "/v1/status");
  }

  void expect(const std::function<bool()>& holds) {
    const bool held = lab::wait_until(holds, 30s).has_value();
    INFO(pair_.evidence());
    REQUIRE(held);
  }

  bool agree(const Pair::Director& director, const char* how) {
    const auto status = pair_.status(director);
    const auto nodes = status.is_object() ? status.value("nodes", json::array()) : json::array();
    return nodes.size() == 1 && nodes[0].value("agreement", "") == how;
  }

  void look() {
    for (const auto& director : pair_.directors) {
      ask(director, "GET", "/v1/status");
      ask(director, "GET", "/v1/vrrp");
      ctl(director, {"vrrp", "--json"});
    }
  }

  void refuse() {
    ask(pair_.lb2, "POST", "/v1/vrrp/front/failover", "{}");
    ask(pair_.lb1, "POST", "/v1/vrrp/front/failover", R"({"to":"lb1"})");
    ask(pair_.lb1, "POST", "/v1/vrrp/front/failover", R"({"to":"lb9"})");
    ask(pair_.lb1, "POST", "/v1/vrrp/nobody/failover", "{}");
    ctl(pair_.lb2, {"failover", "front"});
    ctl(pair_.lb1, {"failover", "front", "--to", "lb9"});
    ctl(pair_.lb1, {"failover", "nobody"});
    ctl(pair_.lb1, {"failover"});
  }

  void ask(const Pair::Director& director, const std::string& method, const std::string& path,
           const std::string& body = {}) {
    const auto answer = director::http_request(pair_.runtime_folder(director) / "control.sock", method, path, body);
    INFO(pair_.evidence());
    REQUIRE(answer);
    auto asked = director.host->name + ": " + method + " " + path;
    if (!body.empty()) asked += " " + body;
    answers_.push_back({{"asked", asked}, {"status", answer->status}, {"body", ordered_json::parse(answer->body)}});
  }

  void ctl(const Pair::Director& director, const std::vector<std::string>& arguments) {
    const auto output = pair_.ctl(director, arguments);
    auto body = ordered_json::parse(output.text, nullptr, false);
    if (body.is_discarded()) body = ordered_json{{"text", output.text}};
    auto asked = director.host->name + ": directorctl";
    for (const auto& argument : arguments) asked += " " + argument;
    answers_.push_back({{"asked", asked}, {"status", output.status}, {"body", std::move(body)}});
  }

  Pair pair_;
  std::string file_;
  ordered_json answers_ = ordered_json::array();
};

}  // namespace

TEST_CASE("what a pair of 0.1.0 answered is answered today", "[contract]") {
  const auto recorded = contract::load("test/contract/0.1.0/pair.json");
  REQUIRE(recorded.size() > 20);
  std::string broken;
  for (const auto& line : contract::breaches(recorded, Asked(lab::programs_folder()).answers(), names)) {
    broken += line + "\n";
  }
  // A pair whose routers sign shares its orders: what lb1 was told to drain is drained on lb2 too.
  CHECK(broken ==
        "lb2: GET /v1/status:.body.services[name \"web\"].servers[name \"web2\"].effective_weight was 1, is 0\n"
        "lb2: GET /v1/status:.body.services[name \"web\"].servers[name \"web2\"].drained was false, is true\n");
}

TEST_CASE("record what a pair of the programs in PROGRAMS answers into pair.json of the output folder, and its state",
          "[.record]") {
  const char* programs = std::getenv("PROGRAMS");
  REQUIRE(programs != nullptr);
  Asked pair(std::filesystem::absolute(programs));
  contract::save(lab::output_folder() / "pair.json", pair.answers());
  std::filesystem::copy(pair.state_file(), lab::output_folder() / "state.json");
}
