// Clients that keep the control socket busy, beside a master.

#include <fmt/format.h>

#include <deque>
#include <nlohmann/json.hpp>

#include "test/catch.h"
#include "test/lab/pair.h"
#include "test/lab/pulse.h"
#include "test/unit/director/raw_client.h"

using namespace std::chrono_literals;
using director_test::RawClient;
using lab::Pair;

namespace {

constexpr auto interval = 10ms;

std::string cluster_file(const Pair& pair) {
  std::string text = pair.cluster_file();
  const auto at = text.find("services:");
  REQUIRE(at != std::string::npos);
  // A status of some hundred kilobytes, more than a socket holds for who does not read it.
  std::string more = "services:\n";
  for (int i = 0; i < 20; ++i) {
    more += fmt::format(
        "  more{0}:\n    listen: 192.168.56.10:{1}\n    servers:\n      w(1-40): {{ address: 10.9.{0}.(1-40) }}\n", i,
        2000 + i);
  }
  return text.replace(at, std::string("services:\n").size(), more);
}

/// What a director answers, asked in this process: to start a program keeps the lab's only processor for long.
std::string answer_of(const std::filesystem::path& socket, const std::string& target) {
  RawClient client(socket);
  REQUIRE(client.connected());
  client.get(target);
  REQUIRE(lab::wait_until([&] { return client.read_some(); }, 5s));
  REQUIRE(client.status() == 200);
  return client.received().substr(client.received().find("\r\n\r\n") + 4);
}

/// How often a director changed its role, or was late with its advertisements by more than its peer waits.
std::size_t disturbances(Pair& pair) {
  std::size_t count = 0;
  for (const auto& director : pair.directors) {
    const auto events = nlohmann::json::parse(answer_of(pair.runtime_folder(director) / "control.sock", "/v1/events"));
    for (const auto& event : events.at("events")) {
      const auto kind = event.value("kind", "");
      if (kind == "router_role" || kind == "router_stalled") ++count;
    }
  }
  return count;
}

}  // namespace

TEST_CASE("hundreds of clients of the control socket do not cost a master its role", "[api-clients]") {
  Pair pair({.forward = Pair::Forward::nat, .advertise = interval, .programs = lab::programs_folder()});
  pair.write(cluster_file(pair));
  for (auto& director : pair.directors) pair.start(director);
  REQUIRE(lab::wait_until([&] { return pair.holds_both(pair.lb1) && !pair.holds_any(pair.lb2); }, 15s));
  // As the packaged unit: the lab has one processor, and a kernel that lets each process have it for 10 ms.
  for (const auto& director : pair.directors) director.process->set_nice(-10);
  const auto socket = pair.runtime_folder(pair.lb1) / "control.sock";

  const lab::Pulse pulse;
  int undisturbed = 0;
  for (int round = 0; round < 3; ++round) {
    const auto before = disturbances(pair);
    const auto begin = net::monotonic_now();
    std::deque<RawClient> many;
    for (int i = 0; i < 300; ++i) {
      auto& client = many.emplace_back(socket);
      REQUIRE(client.connected());
      if (i % 3 == 1) client.send("GET /v1/sta");
      if (i % 3 == 2) client.get("/v1/status");
      if (i % 50 == 49) lab::sleep_for(5ms);
    }
    CHECK_FALSE(answer_of(socket, "/v1/status").empty());
    lab::sleep_for(1s);
    CHECK_FALSE(answer_of(socket, "/v1/status").empty());
    many.clear();
    const auto stalled = pulse.stood_still(begin, net::monotonic_now());
    const auto after = disturbances(pair);
    WARN(fmt::format("round {}: {} changes of role or late advertisements, the lab was stalled for {} ms", round,
                     after - before, std::chrono::duration_cast<std::chrono::milliseconds>(stalled).count()));
    if (stalled < 2 * interval) CHECK(after == before);
    undisturbed += after == before ? 1 : 0;
  }
  CHECK(undisturbed > 0);
  CHECK(pair.holds_both(pair.lb1));
}
