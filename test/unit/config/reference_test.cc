#include <nlohmann/json.hpp>
#include <set>

#include "config/keys/read.h"
#include "test/catch.h"
#include "test/unit/config/corpus.h"
#include "test/unit/config/manual.h"
#include "test/unit/config/reference.h"
#include "test/unit/config/schema.h"

using schema::Json;

namespace {

const std::filesystem::path docs = std::filesystem::path(EXAMPLES_DIR).parent_path();

/// The document up to and from the generated part.
std::pair<std::string, std::string> around_keys(const std::string& text) {
  const auto begin = text.find(reference::begin_mark);
  const auto end = text.find(reference::end_mark);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  return {text.substr(0, begin) + reference::begin_mark, text.substr(end)};
}

/// A YAML text as an editor sees it; nothing when it does not parse.
std::optional<Json> value_of(const std::string& text) {
  config::Diagnostics diagnostics;
  config::Document document;
  const auto* root = config::parse(text, 0, document, diagnostics);
  if (root == nullptr || diagnostics.has_errors()) return std::nullopt;
  return schema::value_of(*root);
}

std::string violations(const Json& value) {
  static const auto made = schema::of(config::cluster_shape());
  return schema::violations(value, made, made);
}

using Visit = std::function<void(const config::Shape& owner, const config::KeyShape& key)>;

void each_key(const config::Shape& shape, const Visit& visit) {
  for (const auto& inner : shape.of) each_key(inner, visit);
  for (const auto& key : shape.keys) {
    visit(shape, key);
    each_key(key.of[0], visit);
  }
}

}  // namespace

TEST_CASE("the reference describes every key as the reader knows it") {
  const auto text = corpus::text_of(docs / "configuration.md");
  const auto [before, after] = around_keys(text);
  INFO("config_unit \"[rewrite]\" writes it anew");
  CHECK(text == before + reference::of(config::cluster_shape()) + after);
}

TEST_CASE("every key has a meaning, and an example that its type accepts") {
  each_key(config::cluster_shape(), [&](const config::Shape& owner, const config::KeyShape& key) {
    INFO(owner.noun << " " << key.name << ": " << key.example);
    CHECK(key.meaning.size() > 5);
    const bool is_one_of = std::ranges::any_of(owner.alternatives, [&](const config::Alternatives& group) {
      return std::ranges::find(group.names, key.name) != group.names.end();
    });
    CHECK((key.required || is_one_of || !key.when_absent.empty()));
    const auto example = value_of(key.example);
    REQUIRE(example);
    config::Shape alone = {.kind = config::Shape::Kind::object, .noun = "alone", .keys = {key}};
    const auto made = schema::of(alone);
    CHECK(schema::violations({{key.name, *example}}, made, made) == "");
  });
}

TEST_CASE("cluster.yaml(5) is the reference as a manual page") {
  INFO("config_unit \"[rewrite]\" writes it anew");
  const auto page = manual::of(corpus::text_of(docs / "configuration.md"));
  CHECK(corpus::text_of(docs / "cluster.yaml.5") == page);
  for (const auto* markdown : {"](", "**", "`"}) CHECK(page.find(markdown) == std::string::npos);
}

TEST_CASE("the schema in docs is the reader's") {
  INFO("config_unit \"[rewrite]\" writes it anew");
  CHECK(corpus::text_of(docs / "cluster.schema.json") == schema::of(config::cluster_shape()).dump(1) + "\n");
}

TEST_CASE("the schema accepts what the loader accepts") {
  auto files = corpus::files(corpus::folder("good"));
  std::ranges::copy(corpus::files(EXAMPLES_DIR), std::back_inserter(files));
  for (const auto& file : files) {
    INFO(file.filename());
    const auto value = value_of(corpus::text_of(file));
    REQUIRE(value);
    CHECK(violations(*value) == "");
  }
}

TEST_CASE("the schema refuses what is wrong with a broken file's structure") {
  // What a schema cannot see: other files, the relation of one value to another, and what is finer than a pattern.
  const std::set<std::string> beyond = {"address-count",
                                        "address-count-signed",
                                        "address-is-a-nodes",
                                        "address-multicast",
                                        "address-octet",
                                        "address-of-two-families",
                                        "address-twice",
                                        "defaults-timeout",
                                        "duration-advertise-long",
                                        "duration-advertise-short",
                                        "duration-advertise-step",
                                        "duration-not-whole-seconds",
                                        "duration-too-fine",
                                        "fallback-has-a-servers-name",
                                        "fallback-is-a-server",
                                        "fallback-on-loopback",
                                        "fallback-on-loopback-with-mark",
                                        "group-twice",
                                        "group-resources-preempts",
                                        "group-two-paces",
                                        "group-two-preempts",
                                        "group-two-priorities",
                                        "group-unknown",
                                        "http-status-range",
                                        "include-a-directory",
                                        "include-a-list-file",
                                        "include-cluster-twice",
                                        "include-glob-of-nothing-but-typo",
                                        "include-itself",
                                        "include-missing",
                                        "include-part-broken",
                                        "include-service-twice",
                                        "include-twice",
                                        "interface-lacks-node",
                                        "link-local-twice-on-a-link",
                                        "interface-of-unknown-node",
                                        "label-long",
                                        "label-of-ipv6",
                                        "listen-port-large",
                                        "mac-and-label",
                                        "mac-twice",
                                        "mac-virtual-and-unicast",
                                        "nodes-missing",
                                        "nodes-on-one-address",
                                        "prefix-length",
                                        "priority-of-owner",
                                        "priority-of-unknown-node",
                                        "priority-two-owners",
                                        "probe-marks-few",
                                        "probe-marks-reversed",
                                        "probe-marks-taken",
                                        "probe-authorization-twice",
                                        "probe-dns-name",
                                        "probe-exec-relative",
                                        "probe-regex",
                                        "probe-source-family",
                                        "quorum-regain-low",
                                        "quorum-too-many",
                                        "range-address",
                                        "range-lengths",
                                        "range-one-address",
                                        "range-reversed",
                                        "range-too-many",
                                        "range-twice",
                                        "regex-large",
                                        "resource-limit",
                                        "resource-of-owner",
                                        "resource-own-unit",
                                        "resource-twice",
                                        "route-dev-lacks-node",
                                        "route-of-two-families",
                                        "router-condition",
                                        "router-id-twice",
                                        "router-id-twice-by-unicast",
                                        "router-id-twice-on-one-node",
                                        "server-is-the-service",
                                        "server-no-port-to-check",
                                        "server-on-loopback",
                                        "server-other-family",
                                        "server-port",
                                        "server-port-with-dr",
                                        "server-port-with-tunnel",
                                        "server-thresholds",
                                        "service-engine-alone",
                                        "service-hash",
                                        "service-mask-alone",
                                        "service-mask-long",
                                        "service-mask-zero-ipv6",
                                        "service-one-packet",
                                        "service-tunnel-checksum",
                                        "service-tunnel-gue",
                                        "service-tunnel-port",
                                        "service-tunnel-remote",
                                        "service-tunnel-with-nat",
                                        "servers-on-one-address",
                                        "services-on-one-address",
                                        "services-on-one-address-in-two-files",
                                        "services-on-one-mark",
                                        "stateless-takeover",
                                        "stateless-takeover-by-mark",
                                        "sync-interface-lacks-node",
                                        "timeout-above-default-interval",
                                        "timeout-above-pending-interval",
                                        "timeout-default-above-interval",
                                        "timeout-not-below-interval",
                                        "unicast-other-family",
                                        "via-fwmark",
                                        "via-nat",
                                        "via-path",
                                        "via-source"};
  std::set<std::string> accepted;
  std::size_t refused = 0;
  for (const auto& file : corpus::files(corpus::folder("broken"))) {
    const auto value = value_of(corpus::text_of(file));
    if (!value) continue;  // no YAML: the editor says so itself
    if (violations(*value).empty()) {
      accepted.insert(file.stem());
    } else {
      ++refused;
    }
  }
  CHECK(accepted == beyond);
  CHECK(refused > 50);
}

TEST_CASE("the reference, the manual page and the schema are rewritten", "[.][rewrite]") {
  const auto [before, after] = around_keys(corpus::text_of(docs / "configuration.md"));
  const auto text = before + reference::of(config::cluster_shape()) + after;
  corpus::write(docs / "configuration.md", text);
  corpus::write(docs / "cluster.yaml.5", manual::of(text));
  corpus::write(docs / "cluster.schema.json", schema::of(config::cluster_shape()).dump(1) + "\n");
}
