#include "director/change.h"

#include "shop.h"
#include "test/catch.h"

using director::compare;
using director_test::shop;
using Names = std::vector<std::string>;

TEST_CASE("equal files differ in nothing") {
  CHECK(compare(shop(), shop()).none());
  CHECK(to_string(compare(shop(), shop())) == "nothing differs");
}

TEST_CASE("servers are told apart by their address, services by theirs, and both are called by name") {
  auto next = shop();
  auto& web = next.services[0];
  web.servers[0].weight = 9;
  web.servers[1].endpoint.port = 8080;
  auto other = director_test::web();
  other.name = "other";
  other.key.endpoint.port = 443;
  next.services.push_back(other);
  const auto change = compare(shop(), next);
  CHECK(change.services.added == Names{"other"});
  CHECK(change.services.changed.empty());
  CHECK(change.servers.added == Names{"web/web2", "other/web1", "other/web2"});
  CHECK(change.servers.changed == Names{"web/web1"});
  CHECK(change.servers.removed == Names{"web/web2"});
  CHECK(change.leaving == std::vector{std::pair(director_test::web().key, director_test::at("192.168.200.12:80"))});
  CHECK(to_string(change) == "1 service added, 3 servers added, 1 server changed, 1 server removed");
}

TEST_CASE("what else differs is told by its section, and probes are counted once each") {
  auto before = shop();
  before.services[0].checks = {checkers::Spec{}};
  auto next = before;
  next.nodes[0].priority = 10;
  next.director.reload_guard = 1;
  next.virtual_routers.push_back({.name = "front", .interfaces = {}, .addresses = {}});
  next.services[0].checks[0].interval = std::chrono::seconds(9);
  const auto change = compare(before, next);
  CHECK(change.sections == Names{"nodes", "director"});
  CHECK(change.routers.added == Names{"front"});
  CHECK(change.services.changed == Names{"web"});
  CHECK(change.probes.added == 2);
  CHECK(change.probes.removed == 2);
  CHECK(compare(next, before).routers.removed == Names{"front"});
  next = before;
  next.name = "store";
  --next.probe_marks.last;
  CHECK(compare(before, next).sections == Names{"cluster", "probe_marks"});
}

TEST_CASE("the guard asks twice exactly when more than the share goes") {
  auto before = shop();
  before.services[0].servers.resize(1);
  for (int i = 0; i < 9; ++i) {
    auto server = before.services[0].servers[0];
    server.endpoint.port = static_cast<std::uint16_t>(1000 + i);
    before.services[0].servers.push_back(server);
  }
  const auto removing = [&](std::size_t count) {
    auto next = before;
    next.services[0].servers.resize(10 - count);
    return guard(compare(before, next), before);
  };
  CHECK_FALSE(removing(5));
  CHECK(removing(6) == "the file removes 6 of 10 servers, more than the 50% that reload_guard lets go unasked");
  before.director.reload_guard = 100;
  CHECK_FALSE(removing(10));
  before.director.reload_guard = 0;
  CHECK(removing(1));
  CHECK_FALSE(removing(0));
}
