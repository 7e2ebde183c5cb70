#include "director/engine/vrrp_status.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "test/catch.h"

using director::vrrp_problems;
using director::vrrp_status;
using director::with_names;
using Texts = std::vector<std::string>;
using namespace std::chrono_literals;

namespace {

net::Address address(const char* text) { return *net::Address::parse(text); }

const director::NodeNames names = {{address("192.0.2.12"), "lb2"}, {address("2001:db8::12"), "lb2"}};

vrrp::Status front() {
  vrrp::Status router;
  router.spec.name = "front";
  router.spec.addresses = {*net::Prefix::parse("192.0.2.10/24")};
  router.state = vrrp::RouterState::master;
  return router;
}

}  // namespace

TEST_CASE("addresses of nodes are called by their nodes' names, whole words alone") {
  CHECK(with_names("192.0.2.12 resigned", names) == "lb2 (192.0.2.12) resigned");
  CHECK(with_names("advertisement from 192.0.2.12 refused: it is not signed (1 so far)", names) ==
        "advertisement from lb2 (192.0.2.12) refused: it is not signed (1 so far)");
  CHECK(with_names("heard 2001:db8::12: x, 192.0.2.12", names) == "heard lb2 (2001:db8::12): x, lb2 (192.0.2.12)");
  for (const auto* text : {"", " ", "192.0.2.1", "192.0.2.120 resigned", "192.0.2.12/24", "192.0.2.12:80", ":", "::"}) {
    CHECK(with_names(text, names) == text);
  }
}

TEST_CASE("a peer has its node's name beside its address, and the reason too") {
  auto router = front();
  router.reason = "heard 192.0.2.12 with priority 150, ours is 100";
  router.peers = {{.address = address("192.0.2.12"), .priority = 150, .heard = {}},
                  {.address = address("192.0.2.99"), .priority = 1, .heard = {}}};
  const auto status = vrrp_status(router, names, net::Instant(1s), {});
  CHECK(status["peers"][0]["address"] == "192.0.2.12");
  CHECK(status["peers"][0]["node"] == "lb2");
  CHECK_FALSE(status["peers"][1].contains("node"));
  CHECK(status["reason"] == "heard lb2 (192.0.2.12) with priority 150, ours is 100");
}

TEST_CASE("a fault is a role of its own; the state stays what RFC 9568 calls it") {
  auto router = front();
  CHECK(vrrp_status(router, names, {}, {})["role"] == "master");
  router.state = vrrp::RouterState::initialize;
  CHECK(vrrp_status(router, names, {}, {})["role"] == "initialize");
  router.fault = "gateway: no answer";
  CHECK(vrrp_status(router, names, {}, {})["role"] == "fault");
  CHECK(vrrp_status(router, names, {}, {})["state"] == "initialize");
}

TEST_CASE("another master that is not believed is a problem, with who, why and what to do, while it is heard") {
  auto router = front();
  const net::Instant now(100s);
  CHECK(vrrp_problems(router, names, now).empty());
  router.last_rejected = {
      .source = address("192.0.2.12"), .reason = vrrp::RejectReason::signature, .heard = now - 400ms};
  router.adverts.rejected[std::to_underlying(vrrp::RejectReason::signature)] = 32;
  CHECK(vrrp_problems(router, names, now) ==
        Texts{"vrrp front: advertisements from lb2 (192.0.2.12) are refused: it is signed with another key (32 so far, "
              "the last 400ms ago); that node may be master too; give all nodes the same file of keys "
              "('authentication: keys')"});
  CHECK(vrrp_problems(router, names, now + 10s).empty());
  router.last_rejected->reason = vrrp::RejectReason::vrid_conflict;
  CHECK(vrrp_problems(router, names, now) ==
        Texts{"vrrp front: advertisements from lb2 (192.0.2.12) are refused: it is of another virtual router with this "
              "router_id: it lists none of the addresses of this one (0 so far, the last 400ms ago); give one of the "
              "two virtual routers another 'router_id', or sign"});
  router.spec.advertise = 40s;
  CHECK(vrrp_problems(router, names, now + 10s).size() == 1);
  router.state = vrrp::RouterState::backup;
  router.last_rejected->reason = vrrp::RejectReason::not_signed;
  router.problem = "claim: refused";
  CHECK(vrrp_problems(router, names, now) ==
        Texts{"vrrp front: claim: refused",
              "vrrp front: advertisements from lb2 (192.0.2.12) are refused: it is not signed (0 so far, the last "
              "400ms ago); sign on all nodes, or set 'mode: permissive' here until they do"});
}
