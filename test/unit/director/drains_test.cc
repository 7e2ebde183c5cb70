#include "director/engine/drains.h"

#include "shop.h"
#include "test/catch.h"

using director::Drains;
using director_test::at;
using namespace std::chrono_literals;

namespace {

const ipvs::ServiceKey web_key = director_test::web().key;
constexpr auto web1 = "192.168.200.11:80";
constexpr auto web2 = "192.168.200.12:80";
const director::WallTime now{1700000000s};

ipvs::ServiceEntry with(std::vector<const char*> servers) {
  ipvs::ServiceEntry entry;
  for (const auto* server : servers) entry.destinations[at(server)].weight = 5;
  return entry;
}

ipvs::DestinationStatus connections(std::uint32_t active, std::uint32_t inactive) {
  ipvs::DestinationStatus status;
  status.active = active;
  status.inactive = inactive;
  return status;
}

}  // namespace

TEST_CASE("what is held and not planned drains, keeps its time, and stays with weight 0") {
  Drains draining_removed;
  CHECK(note_removed(draining_removed, web_key, with({web1, web2}), {at(web1)}, 5min, now) == std::vector{at(web2)});
  REQUIRE(draining_removed.size() == 1);
  CHECK(draining_removed.at({web_key, at(web2)}).since == now);
  CHECK(draining_removed.at({web_key, at(web2)}).deadline == now + 5min);
  CHECK(note_removed(draining_removed, web_key, with({web1, web2}), {at(web1)}, 5min, now + 1min).empty());
  CHECK(draining_removed.at({web_key, at(web2)}).since == now);

  auto planned = with({web1});
  keep_draining_removed(planned, draining_removed, web_key, with({web1, web2}));
  CHECK(planned.destinations.at(at(web1)).weight == 5);
  CHECK(planned.destinations.at(at(web2)).weight == 0);

  CHECK(note_removed(draining_removed, web_key, with({web1, web2}), {at(web1), at(web2)}, 5min, now + 2min).empty());
  CHECK(draining_removed.empty());
}

TEST_CASE("a drain of another service is not touched") {
  Drains draining_removed;
  auto other = web_key;
  other.endpoint.port = 443;
  CHECK(note_removed(draining_removed, other, with({web1}), {}, 1h, now).size() == 1);
  CHECK(note_removed(draining_removed, web_key, with({web1}), {at(web1)}, 1h, now).empty());
  CHECK(draining_removed.size() == 1);
  auto planned = with({});
  keep_draining_removed(planned, draining_removed, web_key, with({web1}));
  CHECK(planned.destinations.empty());
}

TEST_CASE(
    "the drain of a removed server ends with its last connection, at its deadline, or when somebody else ended it") {
  using ipvs::Protocol;
  const director::Drain drain{.since = now, .deadline = now + 5min};
  const auto none = connections(0, 0);
  const auto some = connections(2, 1);
  CHECK(end_reason(drain, Protocol::tcp, &none, now) == "no connections left");
  CHECK(end_reason(drain, Protocol::tcp, &some, now + 299s) == std::nullopt);
  CHECK(end_reason(drain, Protocol::tcp, &some, now + 5min) ==
        "drain timeout reached after 5m, 2 active and 1 inactive connections closed");
  CHECK(end_reason(drain, Protocol::udp, &none, now + 299s) == std::nullopt);
  CHECK(end_reason(drain, Protocol::udp, &none, now + 5min) ==
        "drain timeout reached after 5m, 0 active and 0 inactive connections closed");
  CHECK(end_reason(drain, Protocol::tcp, nullptr, now) == "it was already gone from the kernel");
}

TEST_CASE("a drain without a deadline only ends with its last connection") {
  const auto some = connections(0, 1);
  CHECK(director::end_reason({.since = now}, ipvs::Protocol::tcp, &some, now + 1000h) == std::nullopt);
  const auto none = connections(0, 0);
  CHECK(director::end_reason({.since = now}, ipvs::Protocol::udp, &none, now + 1000h) == std::nullopt);
}

TEST_CASE("a drain keeps its time as long as its cause does, and another service's is not touched") {
  using director::DrainCause;
  auto other = web_key;
  other.endpoint.port = 443;
  Drains drains{{{other, at(web1)}, {.cause = DrainCause::health, .since = now}}};
  note_drains(drains, web_key, {{at(web1), {.cause = DrainCause::health, .since = now}}});
  note_drains(drains, web_key, {{at(web1), {.cause = DrainCause::health, .since = now + 1min}}});
  CHECK(drains.at({web_key, at(web1)}).since == now);
  note_drains(drains, web_key, {{at(web1), {.cause = DrainCause::admin, .since = now + 2min, .deadline = now + 3min}}});
  CHECK(drains.at({web_key, at(web1)}).since == now + 2min);
  note_drains(drains, web_key, {{at(web1), {.cause = DrainCause::admin, .since = now + 4min}}});
  CHECK(drains.at({web_key, at(web1)}) == director::Drain{.cause = DrainCause::admin, .since = now + 2min});
  note_drains(drains, web_key, {});
  CHECK(drains.size() == 1);
}
