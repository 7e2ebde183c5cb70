#include "director/engine/cluster_from_kernel.h"

#include "director/engine/change.h"
#include "shop.h"
#include "test/catch.h"

using director::cluster_from_kernel;
using director::compare;
using director_test::at;
using director_test::shop;
using Names = std::vector<std::string>;

namespace {

/// A kernel that holds just what shop() says.
ipvs::Snapshot as_planned() {
  ipvs::Snapshot table;
  for (const auto& service : shop().services) {
    auto& held = table[service.key];
    held.service = service.spec;
    for (const auto& server : service.servers) {
      held.destinations[{.endpoint = server.endpoint}].destination.weight = server.weight;
    }
  }
  return table;
}

director::Change change(const ipvs::Snapshot& table) { return compare(cluster_from_kernel(table, shop()), shop()); }

}  // namespace

TEST_CASE("a table that holds what the file says differs in nothing, also while servers wait") {
  auto table = as_planned();
  CHECK(change(table).none());
  table.at(director_test::web().key).destinations.at(at("192.168.200.11:80")).destination.weight = 0;
  CHECK(change(table).none());
}

TEST_CASE("in an empty table all of the file is new, and services of others are not looked at") {
  CHECK(to_string(change({})) == "1 service added, 2 servers added");
  auto table = as_planned();
  auto alien = director_test::web().key;
  alien.endpoint.port = 8080;
  table[alien].service.scheduler = "rr";
  CHECK(change(table).none());
}

TEST_CASE("what the table holds otherwise is told by the file's names, or by addresses") {
  auto table = as_planned();
  auto& held = table.at(director_test::web().key);
  held.service.scheduler = "rr";
  held.destinations.at(at("192.168.200.11:80")).destination.weight = 9;
  held.destinations.erase(at("192.168.200.12:80"));
  held.destinations[at("192.168.200.77:80")].active = 5;
  const auto found = change(table);
  CHECK(found.services.changed == Names{"web"});
  CHECK(found.servers.changed == Names{"web/web1"});
  CHECK(found.servers.added == Names{"web/web2"});
  CHECK(found.servers.removed == Names{"web/192.168.200.77:80"});
  CHECK(found.leaving == std::vector{std::pair(director_test::web().key, at("192.168.200.77:80"))});
}

TEST_CASE("another way of forwarding is a change of the service") {
  auto table = as_planned();
  for (auto& [key, held] : table.at(director_test::web().key).destinations) {
    held.destination.forward = ipvs::Forward::route;
  }
  CHECK(change(table).services.changed == Names{"web"});
}
