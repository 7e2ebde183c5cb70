#include "director/plan.h"

#include <catch2/catch.hpp>

#include "shop.h"

using checkers::State;
using director::plan;
using director::ServiceSituation;
using director_test::at;
using director_test::endpoint;
using director_test::web;

namespace {

std::uint32_t weight(const ipvs::ServiceEntry& entry, const char* server) {
  return entry.destinations.at(at(server)).weight;
}

constexpr auto web1 = "192.168.200.11:80";
constexpr auto web2 = "192.168.200.12:80";
constexpr auto sorry = "192.168.200.99:80";

ServiceSituation situation(State first, State second) { return {.servers = {{.health = first}, {.health = second}}}; }

}  // namespace

TEST_CASE("servers that are up have the weight the file gives them") {
  auto service = web();
  service.forward = ipvs::Forward::route;
  const auto entry = plan(service, situation(State::up, State::up), {});
  CHECK(entry.service.scheduler == "wrr");
  CHECK(entry.destinations.size() == 2);
  CHECK(weight(entry, web1) == 3);
  CHECK(weight(entry, web2) == 1);
  CHECK(entry.destinations.at(at(web1)).forward == ipvs::Forward::route);
}

TEST_CASE("a failed server is drained or removed, as the service says") {
  auto service = web();
  CHECK(weight(plan(service, situation(State::down, State::up), {}), web1) == 0);
  service.on_failure = config::OnFailure::remove;
  const auto entry = plan(service, situation(State::down, State::up), {});
  CHECK_FALSE(entry.destinations.contains(at(web1)));
  CHECK(weight(entry, web2) == 1);
}

TEST_CASE("a server that nobody has judged yet gets no traffic, unless the kernel already gives it some") {
  const auto service = web();
  CHECK(weight(plan(service, situation(State::unknown, State::up), {}), web1) == 0);

  ipvs::ServiceEntry held;
  held.destinations[at(web1)].weight = 2;
  CHECK(weight(plan(service, situation(State::unknown, State::up), held), web1) == 2);
  CHECK(weight(plan(service, situation(State::down, State::up), held), web1) == 0);

  auto removing = web();
  removing.on_failure = config::OnFailure::remove;
  CHECK(weight(plan(removing, situation(State::unknown, State::up), held), web1) == 2);
  CHECK_FALSE(plan(removing, situation(State::unknown, State::up), {}).destinations.contains(at(web1)));
}

TEST_CASE("a drained server has weight 0, however healthy, and whatever a failure would do") {
  auto service = web();
  auto now = situation(State::up, State::up);
  now.servers[0].drained = true;
  CHECK(weight(plan(service, now, {}), web1) == 0);
  CHECK(weight(plan(service, now, {}), web2) == 1);
  service.on_failure = config::OnFailure::remove;
  now.servers[0].health = State::down;
  CHECK(weight(plan(service, now, {}), web1) == 0);
}

TEST_CASE("the fallback serves exactly while no server does") {
  auto service = web();
  service.fallback = endpoint(sorry);
  CHECK(weight(plan(service, situation(State::up, State::down), {}), sorry) == 0);
  CHECK(weight(plan(service, situation(State::down, State::down), {}), sorry) == 1);
  auto drained = situation(State::up, State::down);
  drained.servers[0].drained = true;
  CHECK(weight(plan(service, drained, {}), sorry) == 1);
}

TEST_CASE("destinations that the file does not name are not planned") {
  ipvs::ServiceEntry held;
  held.destinations[at("192.168.200.77:80")].weight = 5;
  CHECK_FALSE(plan(web(), situation(State::up, State::up), held).destinations.contains(at("192.168.200.77:80")));
}

TEST_CASE("several checks are one opinion: any down is down, all up is up, else unknown") {
  using director::all_of;
  CHECK(all_of({}) == State::up);
  CHECK(all_of({State::up, State::up}) == State::up);
  CHECK(all_of({State::up, State::unknown}) == State::unknown);
  CHECK(all_of({State::unknown, State::down}) == State::down);
  CHECK(all_of({State::up, State::down}) == State::down);
}
