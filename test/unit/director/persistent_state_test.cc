#include "director/engine/persistent_state.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "scratch.h"
#include "shop.h"
#include "test/catch.h"

using director::load_state;
using director::PersistentState;
using director::save_state;
using director::state_from_json;
using director_test::endpoint;
using nlohmann::json;

namespace {

PersistentState some() {
  PersistentState state;
  const director::WallTime drained(std::chrono::seconds(1700000000));
  state.orders.standing["web/web2"].drain = {.since = drained, .reason = "kernel \"update\""};
  state.orders.standing["web/web3"] = {
      .drain = {{.since = drained, .reason = "", .deadline = drained + std::chrono::hours(1)}},
      .weight = {{.value = 0}}};
  state.orders.standing["web/web4"].weight = {
      .value = 5, .since = drained, .reason = "disk", .until = drained + std::chrono::hours(2)};
  state.owned = {{.protocol = ipvs::Protocol::tcp, .endpoint = endpoint("192.0.2.1:80"), .fwmark = 0},
                 {.protocol = ipvs::Protocol::none, .endpoint = endpoint("[::]:0"), .fwmark = 7}};
  state.sync = true;
  const auto since = std::chrono::system_clock::time_point(std::chrono::seconds(1700000100));
  state.draining_removed[{*state.owned.begin(), {.endpoint = endpoint("192.0.2.9:80")}}] = {
      .since = since, .deadline = since + std::chrono::minutes(5)};
  return state;
}

void write(const std::filesystem::path& file, std::string_view text) { std::ofstream(file) << text; }

}  // namespace

TEST_CASE("the state survives being written and read") {
  CHECK(state_from_json(to_json(some())) == some());
  const director_test::Scratch scratch;
  const auto file = scratch.path / "state.json";
  REQUIRE(save_state(file, some()));
  CHECK(load_state(file) == some());
  CHECK_FALSE(std::filesystem::exists(scratch.path / "state.json.new"));
  const auto mode = std::filesystem::status(file).permissions();
  CHECK(mode == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("a restart shortens no drain and no weight: the milliseconds stand beside the seconds") {
  const director::WallTime begun(std::chrono::milliseconds(1700000000'500));
  PersistentState state;
  state.orders.standing["web/web1"] = {
      .drain = {{.since = begun, .reason = "", .deadline = begun + std::chrono::seconds(8)}},
      .weight = {{.value = 1, .since = begun, .until = begun + std::chrono::seconds(8)}}};
  state.draining_removed[{*some().owned.begin(), {.endpoint = endpoint("192.0.2.9:80")}}] = {
      .since = begun, .deadline = begun + std::chrono::minutes(5)};
  CHECK(state_from_json(to_json(state)) == state);
  CHECK_THAT(to_json(state),
             Catch::ContainsSubstring("\"deadline\": 1700000008,") && Catch::ContainsSubstring("\"deadline_ms\": 500"));
  CHECK_THAT(to_json(some()), !Catch::ContainsSubstring("_ms"));
  CHECK_FALSE(state_from_json(
      R"({"version":2,"orders":{"a/b":{"weight":1,"weight_since":1,"weight_since_ms":1000}},"owned":[],)"
      R"("departures":[]})"));
}

TEST_CASE("a weight is kept in the form that earlier versions read, with what they do not know beside it") {
  CHECK_THAT(to_json(some()), Catch::ContainsSubstring("\"version\": 2") && Catch::ContainsSubstring("\"weight\": 5"));
  const auto old =
      state_from_json(R"({"version":2,"orders":{"web/web1":{"weight":7,"colour":"red"}},"owned":[],"departures":[]})");
  REQUIRE(old);
  CHECK(old->orders.standing.at("web/web1").weight == director::Overrides::Weight{.value = 7});
  CHECK_THAT(to_json(*old), !Catch::ContainsSubstring("weight_"));
}

TEST_CASE("a file that is not there yet holds no state") {
  const director_test::Scratch scratch;
  CHECK(load_state(scratch.path / "state.json") == PersistentState{});
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
    const auto loaded = load_state(file);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().message.starts_with("read " + file.string() + ": damaged state file: "));
  }
  write(file, R"({"version":3,"orders":{},"owned":[]})");
  CHECK(load_state(file).error().message ==
        "read " + file.string() + ": state file version 3, this directord supports versions up to 2");
}

TEST_CASE("the state of an older directord is understood") {
  const auto state = state_from_json(
      R"({"version":1,"drains":{"web/web2":{"since":1700000000,"reason":"disk"}},"owned":[],"departures":[]})");
  REQUIRE(state);
  CHECK(state->orders.standing.at("web/web2").drain->reason == "disk");
}

// Not the other way round alone: what 0.1.0 would not understand is written only once there is something to say in it.
TEST_CASE("the state of 0.1.0 is read whole, and written as 0.1.0 wrote it") {
  std::ifstream in("test/contract/0.1.0/state.json");
  const std::string text(std::istreambuf_iterator<char>(in), {});
  const auto state = state_from_json(text);
  REQUIRE(state);
  CHECK(state->orders.standing.at("web/web1").weight->value == 5);
  CHECK(state->orders.standing.at("web/web2").drain->reason == "kernel \"update\"");
  CHECK(state->orders.standing.at("web/web2").drain->deadline.has_value());
  CHECK(state->owned.size() == 1);
  CHECK(state->draining_removed.size() == 1);
  CHECK(state->sync);
  CHECK(to_json(*state) == text);
}

namespace {

/// With a field that nobody knows in every object but the map of orders, whose fields are servers.
json with_unknown_fields(json value) {
  for (auto& [key, inner] : value.items()) {
    if (key == "orders") {
      for (auto& order : inner) order = with_unknown_fields(order);
    } else if (inner.is_structured()) {
      inner = with_unknown_fields(inner);
    }
  }
  if (value.is_object()) value["of a later version"] = {{"weight", -1}, {"version", 99}};
  return value;
}

}  // namespace

TEST_CASE("fields of a state that nobody knows yet are ignored, wherever they stand") {
  const auto text = with_unknown_fields(json::parse(to_json(some()))).dump();
  // The root, 3 orders, 2 drains, 2 services owned, a draining server and its service.
  std::size_t added = 0;
  for (auto at = text.find("of a later version"); at != std::string::npos; at = text.find("of a later", at + 1))
    ++added;
  REQUIRE(added == 10);
  CHECK(state_from_json(text) == some());
}

TEST_CASE("every truncation of a state is refused, none is believed in part") {
  const auto whole = to_json(some());
  for (std::size_t size = 0; size + 2 < whole.size(); ++size) CHECK_FALSE(state_from_json(whole.substr(0, size)));
}

TEST_CASE("a state that cannot be saved says so, and the old file stays") {
  const director_test::Scratch scratch;
  const auto saved = save_state(scratch.path / "missing" / "state.json", some());
  REQUIRE_FALSE(saved);
  CHECK(saved.error().code == ENOENT);
}

TEST_CASE("a state file that is none is an error, and neither waited for nor believed") {
  const director_test::Scratch scratch;
  const auto file = scratch.path / "state.json";
  REQUIRE(mkfifo(file.c_str(), 0600) == 0);
  CHECK_FALSE(load_state(file));
  CHECK_FALSE(state_from_json(std::string(300'000, '[')));
  CHECK_FALSE(
      state_from_json(R"({"version": 2, "orders": )" + std::string(300'000, '[') + std::string(300'000, ']') + "}"));
}

TEST_CASE("a state is not written through a symbolic link that somebody has put there") {
  const director_test::Scratch scratch;
  const auto file = scratch.path / "state.json", victim = scratch.path / "victim";
  std::ofstream(victim) << "whole";
  std::filesystem::create_symlink(victim, file.string() + ".new");
  CHECK_FALSE(save_state(file, some()));
  std::string text;
  std::ifstream(victim) >> text;
  CHECK(text == "whole");
}
