#include "director/ctl/status_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "director/ctl/change_text.h"
#include "director/ctl/vrrp_text.h"
#include "net/time_text.h"
#include "test/catch.h"

using namespace std::chrono_literals;
using director::status_text;
using nlohmann::json;

TEST_CASE("status reads as tables") {
  const auto status = json::parse(R"({
    "cluster": "shop", "node": "lb1", "version": "0.1.0",
    "problems": ["add service tcp 192.0.2.1:80: no scheduler wrr"],
    "vrrp": [{"name": "front", "state": "master", "since": "noon", "priority": 150, "interface": "enp0s3",
              "addresses": ["192.168.56.10/24"], "reason": "192.168.56.12 resigned"}],
    "services": [{"name": "web", "key": "tcp 192.168.56.10:80", "scheduler": "wrr", "forward": "nat", "servers": [
      {"name": "web1", "address": "192.168.200.11:80", "health": "up", "reason": "up since 12:00:00", "weight": 3,
       "effective_weight": 3, "drained": false, "active": 12, "inactive": 4},
      {"name": "web2", "address": "192.168.200.12:80", "health": "up", "reason": "drained", "weight": 1,
       "effective_weight": 0, "drained": true},
      {"name": "web3", "address": "192.168.200.13:80", "health": "up", "reason": "disk", "weight": 5, "file_weight": 3,
       "weight_order": {"weight": 5}, "effective_weight": 5}]}]})");
  CHECK(status_text(status) ==
        "cluster shop, node lb1, directord 0.1.0\n"
        "problem: add service tcp 192.0.2.1:80: no scheduler wrr\n"
        "\n"
        "vrrp   state   since  priority  interface  addresses         reason\n"
        "front  master  noon   150       enp0s3     192.168.56.10/24  192.168.56.12 resigned\n"
        "\n"
        "service web: tcp 192.168.56.10:80, wrr, nat\n"
        "server  address            state        weight                  active  inactive  reason\n"
        "web1    192.168.200.11:80  up           3/3                     12      4         up since 12:00:00\n"
        "web2    192.168.200.12:80  up, drained  0/1                     -       -         drained\n"
        "web3    192.168.200.13:80  up           5/5 (operator; file 3)  -       -         disk\n");
}

TEST_CASE("what others wrote begins no line and controls no terminal") {
  const auto status = json::parse(R"json({
    "cluster": "shop", "node": "lb1", "version": "0.1.0\n", "problems": ["a\nb"],
    "conditions": [{"reason": "a\nb", "since": "noon"}],
    "nodes": [{"node": "lb2\u001b[2J", "agreement": "differs", "reason": "runs directord 9\u009b"}],
    "services": [{"name": "web", "key": "tcp 192.168.56.10:80", "scheduler": "wrr", "forward": "nat", "servers": [
      {"name": "web1", "health": "up", "reason": "drained (disk\nservice web: all up\u001b[A)", "drained": true,
       "order": "drained\r"}]}]})json");
  const auto text = status_text(status);
  CHECK(std::ranges::count(text, '\n') == 7);
  CHECK(std::ranges::count_if(text, [](char c) { return c != '\n' && (c < ' ' && c >= 0); }) == 0);
  CHECK(text.contains("problem: a\\nb; since noon\n"));
  CHECK(text.contains("node lb2\\x1b[2J: differs: runs directord 9\\xc2\\x9b\n"));
  CHECK(text.contains("drained (disk\\nservice web: all up\\x1b[A)\n"));
}

TEST_CASE("a file's warnings keep their lines") {
  CHECK(director::change_text(json::parse(R"({"warnings": [{"text": "a.yaml:1:1: warning: b\n  x\u001b\n"}],
                                              "summary": "nothing changed"})")) ==
        "a.yaml:1:1: warning: b\n  x\\x1b\nnothing changed\n");
}

TEST_CASE("a router that takes no part for a fault is called so, also by its group; an older daemon's has its state") {
  const auto text = director::vrrp_text(json::parse(R"({"node": "lb1", "vrrp": [
    {"name": "front", "state": "initialize", "role": "fault", "reason": "gw: no answer", "since": "noon",
     "peers": [{"address": "192.0.2.12", "node": "lb2", "priority": 100}, {"address": "192.0.2.99", "priority": 1}]},
    {"name": "old", "state": "initialize", "reason": "started"}]})"));
  CHECK_THAT(text, Catch::ContainsSubstring("front: fault since noon: gw: no answer\n"));
  CHECK_THAT(text, Catch::ContainsSubstring("  heard lb2 (192.0.2.12) with priority 100"));
  CHECK_THAT(text, Catch::ContainsSubstring("  heard 192.0.2.99 with priority 1"));
  CHECK_THAT(text, Catch::ContainsSubstring("old: initialize"));
}

TEST_CASE("a failover without a name lists the routers and what it does with each") {
  const auto text = director::failover_text(json::parse(
      R"({"vrrp": [{"name": "front", "state": "master"}, {"name": "back", "state": "initialize", "role": "fault"}]})"));
  CHECK_THAT(text, Catch::ContainsSubstring("front   master        moves the role, and its group's, to the next node"));
  CHECK_THAT(text, Catch::ContainsSubstring("back    fault         is refused: not master here; run it on the master"));
  CHECK_THAT(director::failover_text(json::object()), Catch::ContainsSubstring("there are no virtual routers here"));
}

TEST_CASE("a time is shown with its zone and its age") {
  const auto now = std::chrono::system_clock::now();
  const json status = {{"problems", {"no scheduler wrr"}},
                       {"conditions", {{{"reason", "no scheduler wrr"}, {"since", net::timestamp(now - 3min)}}}},
                       {"departures", {{{"deadline", net::timestamp(now + 2h + 30s)}}}}};
  CHECK_THAT(status_text(status), Catch::ContainsSubstring("problem: no scheduler wrr; since 20") &&
                                      Catch::ContainsSubstring("Z (3 min ago)\n") &&
                                      Catch::ContainsSubstring("Z (in 2 h)\n"));
}

TEST_CASE("an answer with less in it is shown as far as it goes") {
  CHECK(status_text(json::object()) == "cluster -, node -, directord -\n");
  CHECK(status_text(json::parse(R"({"services": [{}], "vrrp": 5})")) ==
        "cluster -, node -, directord -\n\nservice -: -, -, -\n"
        "server  address  state  weight  active  inactive  reason\n");
}
