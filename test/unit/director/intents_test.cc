#include "director/intents.h"

#include <fstream>

#include "scratch.h"
#include "shop.h"
#include "test/catch.h"

using director::Intents;
using director::intents_from_json;
using director::load_intents;
using director::save_intents;
using director_test::endpoint;

namespace {

Intents some() {
  Intents intents;
  const director::WallTime drained(std::chrono::seconds(1700000000));
  intents.orders["web/web2"].drain = {.since = drained, .reason = "kernel \"update\""};
  intents.orders["web/web3"] = {
      .drain = {{.since = drained, .reason = "", .deadline = drained + std::chrono::hours(1)}},
      .weight = {{.value = 0}}};
  intents.orders["web/web4"].weight = {
      .value = 5, .since = drained, .reason = "disk", .until = drained + std::chrono::hours(2)};
  intents.owned = {{.protocol = ipvs::Protocol::tcp, .endpoint = endpoint("192.0.2.1:80"), .fwmark = 0},
                   {.protocol = ipvs::Protocol::none, .endpoint = endpoint("[::]:0"), .fwmark = 7}};
  intents.sync = true;
  const auto since = std::chrono::system_clock::time_point(std::chrono::seconds(1700000100));
  intents.departures[{*intents.owned.begin(), {.endpoint = endpoint("192.0.2.9:80")}}] = {
      .since = since, .deadline = since + std::chrono::minutes(5)};
  return intents;
}

void write(const std::filesystem::path& file, std::string_view text) { std::ofstream(file) << text; }

}  // namespace

TEST_CASE("intents survive being written and read") {
  CHECK(intents_from_json(to_json(some())) == some());
  const director_test::Scratch scratch;
  const auto file = scratch.path / "state.json";
  REQUIRE(save_intents(file, some()));
  CHECK(load_intents(file) == some());
  CHECK_FALSE(std::filesystem::exists(scratch.path / "state.json.new"));
  const auto mode = std::filesystem::status(file).permissions();
  CHECK(mode == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("a weight is kept in the form that earlier versions read, with what they do not know beside it") {
  CHECK_THAT(to_json(some()), Catch::ContainsSubstring("\"version\": 2") && Catch::ContainsSubstring("\"weight\": 5"));
  const auto old = intents_from_json(
      R"({"version":2,"orders":{"web/web1":{"weight":7,"colour":"red"}},"owned":[],"departures":[]})");
  REQUIRE(old);
  CHECK(old->orders.at("web/web1").weight == director::Orders::Weight{.value = 7});
  CHECK_THAT(to_json(*old), !Catch::ContainsSubstring("weight_"));
}

TEST_CASE("a file that is not there yet holds no intents") {
  const director_test::Scratch scratch;
  CHECK(load_intents(scratch.path / "state.json") == Intents{});
}

TEST_CASE("a damaged or foreign state is an error that names the file") {
  const director_test::Scratch scratch;
  const auto file = scratch.path / "state.json";
  for (const auto* text : {"", "{", "[]", "{}", R"({"version":1})", R"({"version":"1","drains":{},"owned":[]})",
                           R"({"version":0,"orders":{},"owned":[],"departures":[])",
                           R"({"version":2,"drains":{},"owned":[],"departures":[]})",
                           R"({"version":2,"orders":{"a/b":{"weight":65536}},"owned":[],"departures":[]})",
                           R"({"version":2,"orders":{"a/b":{"weight":-1}},"owned":[],"departures":[]})",
                           R"({"version":2,"orders":{"a/b":{"drain":{}}},"owned":[],"departures":[]})",
                           R"({"version":1,"drains":{"a/b":{"since":1e130,"reason":""}},"owned":[],"departures":[]})",
                           R"({"version":2.5,"orders":{},"owned":[],"departures":[]})",
                           R"({"version":2,"orders":{},"owned":[{"protocol":5,"endpoint":"[::]:0"}],"departures":[]})",
                           R"({"version":1,"drains":{"web/web1":{}},"owned":[]})",
                           R"({"version":1,"drains":{},"owned":[{"protocol":6,"endpoint":"x"}],"departures":[]})",
                           R"({"version":1,"drains":{},"owned":[],"departures":[{}]})"}) {
    write(file, text);
    const auto loaded = load_intents(file);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().message.starts_with("read " + file.string() + ": damaged state: "));
  }
  write(file, R"({"version":3,"orders":{},"owned":[]})");
  CHECK(load_intents(file).error().message ==
        "read " + file.string() + ": state of version 3, this directord knows versions up to 2");
}

TEST_CASE("the state of an older directord is understood") {
  const auto intents = intents_from_json(
      R"({"version":1,"drains":{"web/web2":{"since":1700000000,"reason":"disk"}},"owned":[],"departures":[]})");
  REQUIRE(intents);
  CHECK(intents->orders.at("web/web2").drain->reason == "disk");
}

TEST_CASE("every truncation of a state is refused, none is believed in part") {
  const auto whole = to_json(some());
  for (std::size_t size = 0; size + 2 < whole.size(); ++size) CHECK_FALSE(intents_from_json(whole.substr(0, size)));
}

TEST_CASE("intents that cannot be saved say so, and the old file stays") {
  const director_test::Scratch scratch;
  const auto saved = save_intents(scratch.path / "missing" / "state.json", some());
  REQUIRE_FALSE(saved);
  CHECK(saved.error().code == ENOENT);
}
