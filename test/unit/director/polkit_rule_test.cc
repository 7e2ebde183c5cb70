#include "director/resources/polkit_rule.h"

#include <fstream>
#include <iterator>

#include "director/ctl/polkit_command.h"
#include "scratch.h"
#include "test/catch.h"

namespace {

config::Cluster cluster_with(const std::vector<std::string>& units) {
  config::Cluster cluster;
  cluster.name = "shop";
  auto& router = cluster.virtual_routers.emplace_back();
  for (const auto& unit : units) router.resources.push_back({.unit = unit});
  return cluster;
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("the polkit rule allows the file's units, two verbs and one user, and nothing else") {
  CHECK(director::polkit_rule(cluster_with({"srv-a\\x2db.mount", "apache2.service"})) ==
        R"(// Cluster shop: lets directord start and stop the units under 'resources' in its cluster file.
// Written by `directorctl polkit`; write it anew when these units change.
polkit.addRule(function (action, subject) {
  var units = [
    "srv-a\\x2db.mount",
    "apache2.service"
  ];
  if (action.id === "org.freedesktop.systemd1.manage-units" && subject.user === "directord" &&
      (action.lookup("verb") === "start" || action.lookup("verb") === "stop") &&
      units.indexOf(action.lookup("unit")) >= 0) {
    return polkit.Result.YES;
  }
  return polkit.Result.NOT_HANDLED;
});
)");
}

TEST_CASE("without resources no polkit rule is needed") { CHECK(director::polkit_rule(cluster_with({})).empty()); }

TEST_CASE("the polkit rule is written whole or not at all") {
  const director_test::Scratch scratch;
  const auto file = scratch.path / "50-directord.rules";
  REQUIRE(director::write_polkit_rule("one\n", file));
  const auto first = text_of(file);
  CHECK(first == "one\n");
  CHECK((std::filesystem::status(file).permissions() & std::filesystem::perms::all) == std::filesystem::perms(0644));
  std::filesystem::create_directory(scratch.path / "50-directord.rules.new");  // in the way
  CHECK_FALSE(director::write_polkit_rule("two\n", file));
  CHECK(text_of(file) == first);
  CHECK_FALSE(director::write_polkit_rule("two\n", scratch.path / "none" / "rule"));
}
