#include "director/engine/table_text.h"
#include "test/catch.h"

namespace {

const ipvs::ServiceKey web = {.protocol = ipvs::Protocol::tcp,
                              .endpoint = {.address = *net::Address::parse("192.0.2.1"), .port = 80},
                              .fwmark = 0};

}  // namespace

TEST_CASE("a few changes of the table are told one by one, many by their numbers") {
  std::vector<ipvs::Op> ops = {ipvs::AddService{web, {.scheduler = "wlc"}}};
  const ipvs::DestinationKey server = {.endpoint = {.address = *net::Address::parse("10.0.0.7"), .port = 80}};
  for (int i = 0; i < 99; ++i) ops.emplace_back(ipvs::RemoveDestination{web, server});
  const auto each = director::table_text(ops);
  REQUIRE(each.size() == 100);
  CHECK(each.front() == ipvs::to_string(ops.front()));
  CHECK(each.back() == ipvs::to_string(ops.back()));

  ops.emplace_back(ipvs::RemoveDestination{web, server});
  CHECK(director::table_text(ops) == std::vector<std::string>{"1 service added, 100 servers removed"});
  CHECK(director::table_text({}).empty());
}
