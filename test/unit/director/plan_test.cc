#include "director/engine/plan.h"

#include <numeric>
#include <random>

#include "shop.h"
#include "test/catch.h"

using director::ObservedServer;
using director::ObservedService;
using State = checkers::HealthState;
using director::Plan;
using director_test::at;
using director_test::endpoint;
using director_test::web;
using namespace std::chrono_literals;

namespace {

constexpr auto web1 = "192.168.200.11:80";
constexpr auto web2 = "192.168.200.12:80";
constexpr auto sorry = "192.168.200.99:80";
constexpr net::Instant start{1000s};

std::uint32_t weight(const ipvs::ServiceEntry& entry, const char* server) {
  return entry.destinations.at(at(server)).weight;
}

ObservedServer in(State health) {
  ObservedServer server;
  server.health = health;
  server.since = start;
  return server;
}

ObservedService observed(State first, State second) { return {.servers = {in(first), in(second)}}; }

ObservedService observed(State first, State second, State fallback) {
  return {.servers = {in(first), in(second), in(fallback)}};
}

config::Service with_fallback() {
  auto service = web();
  service.servers.push_back({.name = "sorry", .endpoint = endpoint(sorry), .weight = 1, .fallback = true});
  return service;
}

ipvs::ServiceEntry plan(const config::Service& service, const ObservedService& now, const ipvs::ServiceEntry& held) {
  return director::plan(service, now, held, start).entry;
}

}  // namespace

TEST_CASE("servers that are up have the weight the file gives them") {
  auto service = web();
  service.forward = ipvs::Forward::route;
  const auto entry = plan(service, observed(State::up, State::up), {});
  CHECK(entry.service.scheduler == "wrr");
  CHECK(entry.destinations.size() == 2);
  CHECK(weight(entry, web1) == 3);
  CHECK(weight(entry, web2) == 1);
  CHECK(entry.destinations.at(at(web1)).forward == ipvs::Forward::route);
}

TEST_CASE("thresholds and the tunnel's kind reach the table") {
  auto service = web();
  service.forward = ipvs::Forward::tunnel;
  service.tunnel = {.type = ipvs::Tunnel::Type::gue, .port = 6080};
  service.servers[0].upper_threshold = 100;
  service.servers[0].lower_threshold = 80;
  const auto entry = plan(service, observed(State::up, State::up), {});
  CHECK(entry.destinations.at(at(web1)).upper_threshold == 100);
  CHECK(entry.destinations.at(at(web1)).lower_threshold == 80);
  CHECK(entry.destinations.at(at(web2)).tunnel.port == 6080);
}

TEST_CASE("a failed server is drained or removed, as the service says") {
  auto service = web();
  CHECK(weight(plan(service, observed(State::down, State::up), {}), web1) == 0);
  service.on_failure = config::OnFailure::remove;
  const auto entry = plan(service, observed(State::down, State::up), {});
  CHECK_FALSE(entry.destinations.contains(at(web1)));
  CHECK(weight(entry, web2) == 1);
}

TEST_CASE("a server without a check result gets no traffic, unless the kernel already gives it some") {
  const auto service = web();
  CHECK(weight(plan(service, observed(State::unknown, State::up), {}), web1) == 0);

  ipvs::ServiceEntry held;
  held.destinations[at(web1)].weight = 2;
  CHECK(weight(plan(service, observed(State::unknown, State::up), held), web1) == 2);
  CHECK(weight(plan(service, observed(State::down, State::up), held), web1) == 0);

  auto removing = web();
  removing.on_failure = config::OnFailure::remove;
  CHECK(weight(plan(removing, observed(State::unknown, State::up), held), web1) == 2);
  CHECK_FALSE(plan(removing, observed(State::unknown, State::up), {}).destinations.contains(at(web1)));
}

TEST_CASE("a drained server has weight 0, however healthy, and whatever a failure would do") {
  auto service = web();
  auto now = observed(State::up, State::up);
  now.servers[0].admin_state = director::AdminState::drained;
  CHECK(weight(plan(service, now, {}), web1) == 0);
  CHECK(weight(plan(service, now, {}), web2) == 1);
  service.on_failure = config::OnFailure::remove;
  now.servers[0].health = State::down;
  CHECK(weight(plan(service, now, {}), web1) == 0);
}

TEST_CASE("the fallback serves exactly while no server does") {
  const auto service = with_fallback();
  CHECK(weight(plan(service, observed(State::up, State::down, State::up), {}), sorry) == 0);
  CHECK(weight(plan(service, observed(State::down, State::down, State::up), {}), sorry) == 1);
  auto drained = observed(State::up, State::down, State::up);
  drained.servers[0].admin_state = director::AdminState::drained;
  CHECK(weight(plan(service, drained, {}), sorry) == 1);
}

TEST_CASE("of several fallbacks those serve that are up, and all of them when none is") {
  auto service = with_fallback();
  constexpr auto other = "192.168.200.98:80";
  service.servers.push_back({.name = "other", .endpoint = endpoint(other), .weight = 7, .fallback = true});
  const auto weights = [&](State first, State second) {
    auto now = observed(State::down, State::down, first);
    now.servers.push_back(in(second));
    const auto entry = plan(service, now, {});
    return std::pair(weight(entry, sorry), weight(entry, other));
  };
  CHECK(weights(State::up, State::up) == std::pair(1U, 7U));
  CHECK(weights(State::down, State::up) == std::pair(0U, 7U));
  CHECK(weights(State::up, State::down) == std::pair(1U, 0U));
  CHECK(weights(State::down, State::down) == std::pair(1U, 7U));
  service.on_failure = config::OnFailure::remove;
  CHECK(weights(State::down, State::down) == std::pair(1U, 7U));
}

TEST_CASE("below the quorum, servers that are left are better than fallbacks that all fail") {
  auto service = with_fallback();
  service.quorum = {.below = 2, .regain = 2};
  const auto made = director::plan(service, observed(State::up, State::down, State::down), {}, start);
  CHECK_FALSE(made.quorum);
  CHECK_FALSE(made.fallback_in_use);
  CHECK(weight(made.entry, web1) == 3);
  CHECK(weight(made.entry, sorry) == 0);
}

TEST_CASE("a drained fallback does not serve, and a fallback is no part of panic or quorum") {
  auto service = with_fallback();
  auto now = observed(State::down, State::down, State::up);
  now.servers[2].admin_state = director::AdminState::drained;
  CHECK(weight(plan(service, now, {}), sorry) == 0);
  service.panic = 0;
  now.servers[2] = in(State::down);
  CHECK(director::plan(service, now, {}, start).panicking == 2);
  service.panic = 100;
  service.quorum = {.below = 1, .regain = 1};
  CHECK_FALSE(director::plan(service, observed(State::down, State::down, State::up), {}, start).quorum);
}

TEST_CASE("the plan says which servers drain and why; one that is out has left the table") {
  using director::DrainCause;
  const auto service = web();
  auto now = observed(State::down, State::up);
  CHECK(director::plan(service, now, {}, start).drained == std::map{std::pair(at(web1), DrainCause::health)});
  now.servers[0].admin_state = director::AdminState::drained;
  CHECK(director::plan(service, now, {}, start).drained == std::map{std::pair(at(web1), DrainCause::admin)});
  now.servers[0].admin_state = director::AdminState::disabled;
  CHECK_FALSE(plan(service, now, {}).destinations.contains(at(web1)));
  now.servers[1].advice.admin_state = checkers::Advice::AdminState::drain;
  CHECK(director::plan(service, now, {}, start).drained.at(at(web2)) == DrainCause::advice);
}

TEST_CASE("the operator's weight stands in for the file's") {
  auto now = observed(State::up, State::up);
  now.servers[0].weight = 9;
  now.servers[1].weight = 0;
  CHECK(weight(plan(web(), now, {}), web1) == 9);
  CHECK(weight(plan(web(), now, {}), web2) == 0);
  now.servers[0].advice.weight = {.value = 50, .percent = true};
  CHECK(weight(plan(web(), now, {}), web1) == 5);
}

TEST_CASE("destinations that the file does not name are not planned") {
  ipvs::ServiceEntry held;
  held.destinations[at("192.168.200.77:80")].weight = 5;
  CHECK_FALSE(plan(web(), observed(State::up, State::up), held).destinations.contains(at("192.168.200.77:80")));
}

TEST_CASE("below the quorum the fallback serves instead of the servers, until enough of them are back") {
  auto service = with_fallback();
  service.quorum = {.below = 1, .regain = 2};
  auto now = observed(State::up, State::down, State::up);
  const auto held = director::plan(service, now, {}, start);
  CHECK(held.quorum);
  CHECK(weight(held.entry, web1) == 3);

  now = observed(State::down, State::down, State::up);
  now.quorum = director::plan(service, now, {}, start).quorum;
  CHECK_FALSE(now.quorum);
  now.servers[0].health = State::up;
  auto half = director::plan(service, now, {}, start);
  CHECK_FALSE(half.quorum);
  CHECK(half.in_service == 1);
  CHECK(half.servers == 2);  // not the fallback
  CHECK(weight(half.entry, web1) == 0);
  CHECK(weight(half.entry, sorry) == 1);
  now.servers[1].health = State::up;
  const auto back = director::plan(service, now, {}, start);
  CHECK(back.quorum);
  CHECK(weight(back.entry, web1) == 3);
  CHECK(weight(back.entry, sorry) == 0);
}

TEST_CASE("without a fallback, servers serve below the quorum too") {
  auto service = web();
  service.quorum = {.below = 2, .regain = 2};
  const auto made = director::plan(service, observed(State::up, State::down), {}, start);
  CHECK_FALSE(made.quorum);
  CHECK(weight(made.entry, web1) == 3);
}

TEST_CASE("panic keeps in what failed last, once health has taken away its share") {
  auto service = web();  // weights 3 and 1
  service.panic = 75;
  auto now = observed(State::down, State::down);
  now.servers[1].since = start + 1s;
  auto made = director::plan(service, now, {}, start + 2s);
  CHECK(made.panicking == 1);
  CHECK(weight(made.entry, web1) == 0);
  CHECK(weight(made.entry, web2) == 1);

  now.servers[0].since = start + 3s;  // now the light one failed first; the heavy one would be too much
  made = director::plan(service, now, {}, start + 4s);
  CHECK(weight(made.entry, web1) == 3);
  CHECK(weight(made.entry, web2) == 0);

  service.panic = 0;
  CHECK(director::plan(service, now, {}, start + 4s).panicking == 2);
  service.panic = 100;
  CHECK(director::plan(service, now, {}, start + 4s).panicking == 0);
}

TEST_CASE("health alone never takes away more than panic allows, whatever happened") {
  std::mt19937 random(20261121);
  const auto below = [&](std::uint32_t n) { return std::uniform_int_distribution<std::uint32_t>(0, n - 1)(random); };
  int panics = 0;
  for (int round = 0; round < 2000; ++round) {
    auto service = web();
    service.servers.clear();
    service.panic = static_cast<std::uint8_t>(below(101));
    service.on_failure = below(2) == 0 ? config::OnFailure::drain : config::OnFailure::remove;
    ObservedService now;
    const auto count = 1 + below(12);
    for (std::uint32_t i = 0; i < count; ++i) {
      service.servers.push_back(
          {.name = std::to_string(i),
           .endpoint = {.address = *net::Address::parse("10.0.0." + std::to_string(i)), .port = 80},
           .weight = below(100)});
      auto server = in(below(3) == 0 ? State::up : State::down);
      server.since = start + std::chrono::seconds(below(5));
      server.admin_state = below(6) == 0 ? director::AdminState::drained : director::AdminState::enabled;
      now.servers.push_back(server);
    }
    const auto made = director::plan(service, now, {}, start + 10s);
    std::uint64_t total = 0;
    std::uint64_t taken = 0;
    for (std::size_t i = 0; i < service.servers.size(); ++i) {
      if (now.servers[i].admin_state != director::AdminState::enabled) continue;
      total += service.servers[i].weight;
      const auto found = made.entry.destinations.find({.endpoint = service.servers[i].endpoint});
      const auto has = found == made.entry.destinations.end() ? 0 : found->second.weight;
      CHECK((has == 0 || has == service.servers[i].weight));
      if (has == 0) taken += service.servers[i].weight;
    }
    CHECK(taken * 100 <= total * service.panic);
    panics += made.panicking > 0 ? 1 : 0;
  }
  CHECK(panics > 500);
}

TEST_CASE("a slow start rises step by step to the whole weight, and says when it next rises") {
  auto service = web();
  service.servers[0].weight = 4;
  service.slow_start = 20s;
  auto now = observed(State::up, State::up);
  now.servers[0].slow_start_from = start;
  const struct {
    net::Duration passed;
    std::uint32_t weight;
    std::optional<net::Duration> again;
  } cases[] = {{0s, 1, 5s},   {4999ms, 1, 5s}, {5s, 2, 10s},           {12s, 3, 15s},
               {15s, 4, 20s}, {19s, 4, 20s},   {20s, 4, std::nullopt}, {99s, 4, std::nullopt}};
  for (const auto& [passed, expected, again] : cases) {
    INFO(net::to_string(passed));
    const auto made = director::plan(service, now, {}, start + passed);
    CHECK(weight(made.entry, web1) == expected);
    CHECK(weight(made.entry, web2) == 1);
    CHECK(made.replan_at == (again ? std::optional(start + *again) : std::nullopt));
  }
}

TEST_CASE("a slow start of a great weight goes in twenty steps") {
  auto service = web();
  service.servers[0].weight = 65535;
  service.slow_start = 10s;
  auto now = observed(State::up, State::up);
  now.servers[0].slow_start_from = start;
  const auto first = director::plan(service, now, {}, start);
  CHECK(weight(first.entry, web1) == 65535 / 20);
  CHECK(first.replan_at == start + 500ms);
  CHECK(weight(director::plan(service, now, {}, start + 9999ms).entry, web1) == 65535);
}

TEST_CASE("an agent's word alters the weight or takes the server out") {
  using AdminState = checkers::Advice::AdminState;
  const auto service = web();
  auto now = observed(State::up, State::up);
  now.servers[0].advice.weight = {.value = 50, .percent = true};
  CHECK(weight(plan(service, now, {}), web1) == 2);
  now.servers[0].advice.weight = {.value = 200, .percent = true};
  CHECK(weight(plan(service, now, {}), web1) == 6);
  now.servers[0].advice.weight = {.value = 9, .percent = false};
  CHECK(weight(plan(service, now, {}), web1) == 9);
  now.servers[0].advice.admin_state = AdminState::ready;
  CHECK(weight(plan(service, now, {}), web1) == 9);
  for (const auto admin_state : {AdminState::drain, AdminState::maint}) {
    now.servers[0].advice.admin_state = admin_state;
    CHECK(weight(plan(service, now, {}), web1) == 0);
  }
}

TEST_CASE("advice stays within the weights that there are, and rounds up") {
  using director::advised;
  CHECK(advised({}, 7) == 7);
  CHECK(advised({.weight = {{.value = 1, .percent = true}}}, 3) == 1);
  CHECK(advised({.weight = {{.value = 0, .percent = true}}}, 3) == 0);
  CHECK(advised({.weight = {{.value = 65535, .percent = true}}}, 65535) == 65535);
}

TEST_CASE(
    "several checks are down since the first and up since the last; the most restrictive state and the smallest weight "
    "hold") {
  using AdminState = checkers::Advice::AdminState;
  const auto late = start + 5s;
  CHECK(director::aggregate(std::vector<director::HealthSummary>{{State::down, late, {}}, {State::down, start, {}}},
                            checkers::Combine::all, 1)
            .since == start);
  CHECK(director::aggregate(std::vector<director::HealthSummary>{{State::up, start, {}}, {State::up, late, {}}},
                            checkers::Combine::all, 1)
            .since == late);
  CHECK(director::aggregate(std::vector<director::HealthSummary>{{State::down, late, {}}, {State::up, start, {}}},
                            checkers::Combine::all, 1)
            .since == late);
  const auto both = director::aggregate(
      std::vector<director::HealthSummary>{
          {State::up, start, {.admin_state = AdminState::drain, .weight = {{.value = 50, .percent = true}}}},
          {State::up, start, {.admin_state = AdminState::ready, .weight = {{.value = 3, .percent = false}}}}},
      checkers::Combine::all, 10);
  CHECK(both.state == State::up);
  CHECK(director::aggregate(std::vector<director::HealthSummary>{{State::down, late, {}}, {State::up, start, {}}},
                            checkers::Combine::any, 1)
            .state == State::up);
  CHECK(both.advice.admin_state == AdminState::drain);
  CHECK(both.advice.weight == checkers::Advice::Weight{.value = 3, .percent = false});
}
