#include "director/engine/check_users.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "director/control/status.h"
#include "director/engine/engine.h"
#include "ipvs/memory_kernel.h"
#include "net/kernel_host.h"
#include "test/catch.h"
#include "test/unit/director/shop.h"

using namespace std::chrono_literals;
using director::CheckUsers;
using director::ServerKey;

namespace {

checkers::Key key(int number) {
  return {.target = {.address = *net::Address::parse("127.0.0.1"), .port = static_cast<std::uint16_t>(number + 1)},
          .spec = {}};
}

/// One of a service.
ServerKey server(int service, int number) {
  const auto address = *net::Address::parse("127.0.0.1");
  return {.service = {.protocol = ipvs::Protocol::tcp,
                      .endpoint = {.address = address, .port = static_cast<std::uint16_t>(8000 + service)}},
          .server = {.address = address, .port = static_cast<std::uint16_t>(9000 + number)}};
}

}  // namespace

TEST_CASE("the checks that got users and those that lost all are told once") {
  CheckUsers users;
  users.add(key(1), server(0, 0));
  users.add(key(1), server(1, 0));
  users.add(key(2), server(0, 1));
  CHECK(users.difference().added == std::vector{key(1), key(2)});
  CHECK(users.difference().added.empty());
  users.remove(key(1), server(0, 0));
  users.remove(key(2), server(0, 1));
  users.add(key(2), server(3, 1));  // moved
  users.add(key(3), server(0, 0));
  users.remove(key(3), server(0, 0));  // came and went
  auto difference = users.difference();
  CHECK(difference.gone.empty());
  CHECK(difference.added.empty());
  CHECK(std::ranges::equal(users.of(key(1)), std::vector{server(1, 0)}));
  users.remove(key(1), server(1, 0));
  CHECK(users.difference().gone == std::vector{key(1)});
  CHECK(users.of(key(1)).empty());
}

TEST_CASE("the differences of random changes add up to what there is") {
  std::mt19937 random(7);  // NOLINT: replayable
  const auto below = [&](int n) { return std::uniform_int_distribution(0, n - 1)(random); };
  CheckUsers users;
  std::map<int, std::vector<ServerKey>> expected;
  std::map<int, bool> checked;
  for (int change = 0; change < 5000; ++change) {
    const int which = below(12);
    const ServerKey user = server(below(3), below(3));
    auto& servers = expected[which];
    const auto found = std::ranges::find(servers, user);
    if (found == servers.end()) {
      users.add(key(which), user);
      servers.push_back(user);
    } else {
      users.remove(key(which), user);
      servers.erase(found);
    }
    CHECK(std::ranges::equal(users.of(key(which)), servers));
    if (below(4) != 0) continue;
    const auto difference = users.difference();
    for (const auto& added : difference.added) CHECK_FALSE(std::exchange(checked[added.target.port - 1], true));
    for (const auto& gone : difference.gone) CHECK(std::exchange(checked[gone.target.port - 1], false));
    for (const auto& [number, who] : expected) CHECK(checked[number] == !who.empty());
  }
}

TEST_CASE("after any reload every server's checks are under way, and no others") {
  std::mt19937 random(11);  // NOLINT: replayable
  const auto below = [&](int n) { return std::uniform_int_distribution(0, n - 1)(random); };
  const auto check = [](int number) {
    return checkers::Spec{.kind = checkers::Tcp{}, .interval = 1h + number * 1s, .timeout = 1s};
  };
  const auto cluster = [&] {
    auto all = director_test::shop();
    all.services.clear();
    std::vector<int> order{0, 1, 2, 3, 4, 5};
    std::ranges::shuffle(order, random);
    order.resize(static_cast<std::size_t>(below(7)));
    if (below(2) == 0) std::ranges::sort(order);  // many keep their place
    for (const int name : order) {
      auto service = director_test::web();
      service.name = "s" + std::to_string(name);
      service.key.endpoint.port = static_cast<std::uint16_t>(8000 + name);
      service.checks = {check(below(2))};
      if (below(3) == 0) service.checks.push_back(check(2));
      service.servers[0].endpoint.port = static_cast<std::uint16_t>(9000 + below(2));  // shared by services
      if (below(3) == 0) service.servers.pop_back();
      all.services.push_back(std::move(service));
    }
    return all;
  };
  net::Loop loop = net::Loop::create().value();
  ipvs::MemoryKernel kernel;
  net::KernelHost host;
  director::Engine director(loop, kernel, host, cluster(),
                            {.node = director_test::lb1(), .state_file = {}, .dry_run = true});
  REQUIRE(director.start());
  for (int reload = 0; reload < 400; ++reload) {
    const auto next = cluster();
    REQUIRE(director.reload({.cluster = next, .node = director_test::lb1()}, "a test"));
    const auto status = director::status(director);
    std::set<checkers::Key> distinct;
    for (const auto& service : next.services) {
      for (const auto& server : service.servers) {
        for (const auto& each : service.checks) distinct.insert(checkers::make_key(each, server.endpoint));
      }
    }
    CHECK(status["checks"] == distinct.size());
    for (std::size_t s = 0; s < next.services.size(); ++s) {
      for (const auto& server : status["services"][s]["servers"]) {
        const auto reason = server["reason"].get<std::string>();
        CAPTURE(reload, reason);
        const auto parts = reason.empty() ? 0 : 1 + std::ranges::count(reason, ';');
        CHECK(parts == std::ssize(next.services[s].checks));
      }
    }
  }
}
