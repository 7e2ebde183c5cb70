#include "director/engine/change.h"

#include <nlohmann/json.hpp>

#include "director/ctl/change_text.h"
#include "director/engine/change_json.h"
#include "shop.h"
#include "test/catch.h"

using director::compare;
using director_test::shop;
using Names = std::vector<std::string>;
using namespace std::chrono_literals;

namespace {

/// Each key that differs, as a text: "server web/web1 weight 3 -> 9".
Names details(const config::Cluster& before, const config::Cluster& after) {
  Names texts;
  for (const auto& [kind, name, difference] : compare(before, after).details) {
    texts.push_back(kind + " " + name + " " + difference.what + " " + difference.from + " -> " + difference.to);
  }
  return texts;
}

config::VirtualRouter front() {
  return {.name = "front",
          .router_id = 51,
          .interfaces = {{"lb1", "eth0"}, {"lb2", "eth0"}},
          .addresses = {{*net::Prefix::parse("192.0.2.10/24")}}};
}

/// Whether each way to change a copy of `value` is told as exactly one key, or is told at all where it changes more.
template <class T, class... Changes>
void each_is_told(const T& value, Changes... changes) {
  int which = 0;
  const auto one = [&](auto change) {
    T other = value;
    change(other);
    INFO("change " << which++);
    CHECK(other != value);
    CHECK_FALSE(director::differences(director::settings_of(value), director::settings_of(other)).empty());
  };
  (one(changes), ...);
}

}  // namespace

TEST_CASE("equal files differ in nothing") {
  CHECK(compare(shop(), shop()).none());
  CHECK(to_string(compare(shop(), shop())) == "no changes");
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

TEST_CASE("what is changed is told key by key, with both values") {
  auto before = shop();
  before.virtual_routers = {front()};
  before.services[0].checks = {checkers::Spec{.kind = checkers::Http{.path = "/", .host = {}}}};
  auto next = before;
  next.services[0].servers[0].weight = 5;
  next.services[0].servers[1].upper_threshold = 100;
  next.services[0].spec.scheduler = "wlc";
  next.services[0].spec.persistence = 5min;
  next.services[0].forward = ipvs::Forward::tunnel;
  next.services[0].checks[0].interval = 9s;
  std::get<checkers::Http>(next.services[0].checks[0].kind).path = "/health";
  next.nodes[0].priority = 90;
  next.virtual_routers[0].addresses.push_back(*net::Prefix::parse("192.0.2.11/24"));
  next.virtual_routers[0].interfaces["lb2"] = "eth1";
  next.virtual_routers[0].priorities["lb2"] = 150;
  next.stateless_takeover = true;
  CHECK(details(before, next) ==
        Names{"service web scheduler wrr -> wlc", "service web forward nat -> tunnel",
              "service web persistence none -> 5m", "service web check.http.path / -> /health",
              "service web check.interval 2s -> 9s", "server web/web1 weight 3 -> 5",
              "server web/web2 upper_threshold none -> 100", "virtual router front interface.lb1 none -> eth0",
              "virtual router front interface.lb2 none -> eth1", "virtual router front priority.lb2 none -> 150",
              "virtual router front addresses 192.0.2.10/24 -> 192.0.2.10/24, 192.0.2.11/24",
              "virtual router front interface eth0 -> none", "section nodes lb1.priority 150 -> 90",
              "section stateless_takeover  false -> true"});
  const auto json = to_json(compare(before, next), nlohmann::ordered_json::array(), {});
  CHECK(json["changes"][0] ==
        nlohmann::ordered_json{
            {"kind", "service"}, {"name", "web"}, {"what", "scheduler"}, {"from", "wrr"}, {"to", "wlc"}});
  const auto text = director::change_text(json);
  CHECK_THAT(text, Catch::ContainsSubstring("~ server web/web1: weight 3 -> 5\n"));
  CHECK_THAT(text, Catch::ContainsSubstring("~ service web: scheduler wrr -> wlc, forward nat -> tunnel, "));
  CHECK_THAT(text, Catch::ContainsSubstring("~ nodes: lb1.priority 150 -> 90\n"));
  CHECK_THAT(text, Catch::ContainsSubstring("~ stateless_takeover: false -> true\n"));
}

TEST_CASE("what is given in one file only is told as a whole, and a secret is not shown") {
  auto before = shop();
  auto next = before;
  next.services[0].checks = {checkers::Spec{.kind = checkers::Icmp{}}};
  CHECK(details(before, next) == Names{"service web check none -> icmp"});
  before.services[0].checks = {
      checkers::Spec{.kind = checkers::Http{.host = {}, .authorization_file = "/a", .authorization = "Basic abc"}}};
  CHECK(details(before, next) == Names{"service web check http -> icmp"});
  next.services[0].checks = before.services[0].checks;
  std::get<checkers::Http>(next.services[0].checks[0].kind).authorization = "Basic def";
  CHECK(details(before, next) == Names{"service web check.http.authorization a secret -> another secret"});
}

TEST_CASE("no field of a service, server, router or check changes untold") {
  using config::Server;
  using config::Service;
  using config::VirtualRouter;
  each_is_told(
      shop().services[0].servers[0], [](Server& s) { s.name = "x"; }, [](Server& s) { s.weight = 9; },
      [](Server& s) { s.upper_threshold = 9; }, [](Server& s) { s.lower_threshold = 9; },
      [](Server& s) { s.fallback = true; });
  each_is_told(
      shop().services[0], [](Service& s) { s.name = "x"; }, [](Service& s) { s.spec.scheduler = "sh"; },
      [](Service& s) { s.spec.flags = ipvs::flag::one_packet; }, [](Service& s) { s.spec.flags = ipvs::flag::sched1; },
      [](Service& s) { s.spec.flags = ipvs::flag::sched2; }, [](Service& s) { s.spec.persistence = 1s; },
      [](Service& s) { s.spec.mask_length = 24; }, [](Service& s) { s.spec.raw_mask = 0xff00ff00; },
      [](Service& s) { s.spec.persistence_engine = "sip"; }, [](Service& s) { s.forward = ipvs::Forward::route; },
      [](Service& s) { s.tunnel.type = ipvs::Tunnel::Type::gre; }, [](Service& s) { s.tunnel.port = 9; },
      [](Service& s) { s.tunnel.flags = 1; }, [](Service& s) { s.checks.emplace_back(); },
      [](Service& s) { s.combine = checkers::Combine::any; },
      [](Service& s) { s.on_failure = config::OnFailure::remove; }, [](Service& s) { s.quorum.below = 9; },
      [](Service& s) { s.quorum.regain = 9; }, [](Service& s) { s.panic = 9; }, [](Service& s) { s.slow_start = 9s; },
      [](Service& s) { s.drain_time = 9s; });
  each_is_told(
      front(), [](VirtualRouter& r) { r.router_id = 9; }, [](VirtualRouter& r) { r.interfaces["lb1"] = "eth9"; },
      [](VirtualRouter& r) { r.addresses[0].label = "x"; },
      [](VirtualRouter& r) { r.addresses[0].scope = net::Scope::link; },
      [](VirtualRouter& r) { r.routes.emplace_back(); }, [](VirtualRouter& r) { r.virtual_mac = true; },
      [](VirtualRouter& r) { r.advertise = 9s; }, [](VirtualRouter& r) { r.preempt.allowed = false; },
      [](VirtualRouter& r) { r.preempt.after = 9s; }, [](VirtualRouter& r) { r.ready_within = 9s; },
      [](VirtualRouter& r) { r.unicast = true; }, [](VirtualRouter& r) { r.checksum = vrrp::Checksum::rfc5798; },
      [](VirtualRouter& r) { r.version = 2; }, [](VirtualRouter& r) { r.password_file = "/x"; },
      [](VirtualRouter& r) { r.authentication = config::Authentication{.keys = "/x"}; },
      [](VirtualRouter& r) { r.give_up_when = {"web"}; },
      [](VirtualRouter& r) { r.trackers = {{.name = "gw", .link = "eth2"}}; });
  const auto with = [](auto change) { return [change](Service& service) { change(service.checks[0]); }; };
  using checkers::Spec;
  auto checked = shop().services[0];
  checked.checks = {Spec{.kind = checkers::Tcp{}}};
  each_is_told(checked, with([](Spec& c) { c.kind = checkers::Icmp{}; }), with([](Spec& c) { c.interval = 9s; }),
               with([](Spec& c) { c.timeout = 9s; }), with([](Spec& c) { c.pending_interval = 9s; }),
               with([](Spec& c) { c.thresholds.rise = 9; }), with([](Spec& c) { c.thresholds.fall = 9; }),
               with([](Spec& c) { c.initially_up = true; }), with([](Spec& c) { c.port = 9; }),
               with([](Spec& c) { c.address = net::Address::parse("192.0.2.9"); }),
               with([](Spec& c) { c.path.source = net::Address::parse("192.0.2.9"); }),
               with([](Spec& c) { c.path.interface = "eth9"; }), with([](Spec& c) { c.path.mark = 9; }),
               with([](Spec& c) { c.path.via_vip = true; }),
               with([](Spec& c) { c.kind = checkers::Tcp{.tls = checkers::Tls{}}; }),
               with([](Spec& c) { c.kind = checkers::Tcp{.script = {checkers::Tcp::Send{"x"}}}; }));
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
  CHECK(removing(6) == "the file removes 6 of 10 servers, more than the 50% that reload_guard allows");
  before.director.reload_guard = 100;
  CHECK_FALSE(removing(10));
  before.director.reload_guard = 0;
  CHECK(removing(1));
  CHECK_FALSE(removing(0));
}
