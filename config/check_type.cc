#include "config/check_type.h"

#include <set>

#include "config/values.h"

namespace config {
namespace {

using checkers::Http;
using checkers::Spec;
using checkers::Tcp;
using namespace std::chrono_literals;

constexpr std::int64_t least_status = 100;
constexpr std::int64_t greatest_status = 599;

/// "200" or "200-299", added to `statuses`.
std::expected<std::set<std::uint16_t>, std::string> parse_statuses(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parse_integer(text.substr(0, dash), least_status, greatest_status);
  const auto last =
      dash == std::string_view::npos ? first : parse_integer(text.substr(dash + 1), least_status, greatest_status);
  if (!first || !last) return std::unexpected("");
  if (*first > *last) return std::unexpected("; the range ends before it begins");
  std::set<std::uint16_t> statuses;
  for (auto status = *first; status <= *last; ++status) statuses.insert(static_cast<std::uint16_t>(status));
  return statuses;
}

/// One status, a range, or a list of both.
Type<std::set<std::uint16_t>> statuses() {
  auto one = scalar<std::set<std::uint16_t>>({.expected = "a status from 100 to 599, or a range such as 200-299",
                                              .pattern = "^[1-5][0-9]{2}(-[1-5][0-9]{2})?$"},
                                             parse_statuses);
  const Shape number = {.kind = Shape::Kind::integer, .minimum = least_status, .maximum = greatest_status};
  const Shape item = {.kind = Shape::Kind::any_of, .expected = one.shape.expected, .of = {number, one.shape}};
  const Shape many = {.kind = Shape::Kind::list, .minimum = 1, .of = {item}};
  const Shape shape = {.kind = Shape::Kind::any_of,
                       .expected = one.shape.expected + ", or a list of them",
                       .of = {number, one.shape, many}};
  auto read = [expected = shape.expected, read_one = one.read](Reader& reader, const YamlNode& node,
                                                               std::set<std::uint16_t>& all) {
    if (node.kind == YamlNode::Kind::scalar) return read_one(reader, node, all);
    if (node.kind != YamlNode::Kind::sequence) return reader.refuse(node, expected);
    if (node.entries.empty()) return reader.refuse_short(node, expected);
    all.clear();
    for (const auto& entry : node.entries) {
      std::set<std::uint16_t> some;
      read_one(reader, *entry.value, some);
      all.merge(some);
    }
  };
  return {.shape = shape, .read = read, .show = [](const std::set<std::uint16_t>& all) {
            return fmt::format("{}", fmt::join(all, ", "));
          }};
}

Type<Http> http_probe() {
  auto expect = Object<Http>("expected answer")
                    .key("status", &Http::status, statuses(), "the statuses that pass: one, a range, or a list of both",
                         "[200, 204, 300-399]")
                    .type();
  return Object<Http>("http probe")
      .key("path", &Http::path, word("a path that begins with '/'", "/"), "what is asked for", "/health")
      .key("host", &Http::host, word("a host name"), "the Host header", "shop.example.com")
      .when_absent("the server's address")
      .key("expect", std::identity(), std::move(expect), "what makes the answer a good one", "{ status: 200 }")
      .when_absent("status 200")
      .type();
}

}  // namespace

Object<Spec> check_object() {
  return Object<Spec>("check")
      .key(
          "tcp", [](Spec& spec) -> Tcp& { return spec.kind.emplace<Tcp>(); }, Object<Tcp>("tcp probe").type(),
          "passes when the server accepts a connection", "{}")
      .key(
          "http", [](Spec& spec) -> Http& { return spec.kind.emplace<Http>(); }, http_probe(),
          "passes when the server answers a GET as expected", "{ path: /health }")
      .one_of({"tcp", "http"})
      .key("interval", &Spec::interval, duration<std::chrono::milliseconds>(10ms, 24h),
           "from one probe's start to the next's", "5s")
      .key("timeout", &Spec::timeout, duration<std::chrono::milliseconds>(1ms, 24h),
           "when an unfinished probe has failed; shorter than `interval`", "500ms")
      .key(
          "rise", [](Spec& spec) -> int& { return spec.thresholds.rise; }, integer<int>(1, 1000),
          "how many passes in a row bring a server back", "3")
      .key(
          "fall", [](Spec& spec) -> int& { return spec.thresholds.fall; }, integer<int>(1, 1000),
          "how many failures in a row take a server out", "2");
}

}  // namespace config
