#include <algorithm>
#include <set>

#include "config/keys/probe_types.h"
#include "config/schema/bytes_type.h"
#include "config/schema/values.h"

namespace config {
namespace {

using checkers::Http;

constexpr std::int64_t least_status = 100;
constexpr std::int64_t greatest_status = 599;

/// "200" or "200-299", added to `statuses`.
std::expected<std::set<std::uint16_t>, std::string> parse_statuses(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parse_integer(text.substr(0, dash), least_status, greatest_status);
  const auto last =
      dash == std::string_view::npos ? first : parse_integer(text.substr(dash + 1), least_status, greatest_status);
  if (!first || !last) return std::unexpected("");
  if (*first > *last) return std::unexpected("; the end of the range is below its start");
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

/// A token of RFC 9110: a method's name.
Type<std::string> method() {
  auto type = scalar<std::string>({.expected = "a method in capitals, such as GET or HEAD", .pattern = "^[A-Z]+$"},
                                  [](std::string_view text) -> std::expected<std::string, std::string> {
                                    const bool capitals =
                                        std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
                                    if (text.empty() || !capitals) return std::unexpected("");
                                    return std::string(text);
                                  });
  type.show = [](const std::string& text) { return text; };
  return type;
}

Type<Http> expected_answer() {
  return Object<Http>("expected answer")
      .key("status", &Http::status, statuses(), "status codes that pass: one, a range, or a list of both",
           "[200, 204, 300-399]")
      .key("headers", &Http::expect_headers, expected_headers(), "required content of the answer's headers",
           "{ Server: nginx }")
      .when_absent("anything")
      .key(
          "body", [](Http& http) -> checkers::Match& { return http.expect_body.emplace(); }, match(),
          "required content of the answer's body", "{ regex: 'stat(e|us): ok' }")
      .when_absent("anything")
      .key("max_body", &Http::max_body, integer<std::uint32_t>(1, 16 << 20),
           "number of bytes of the body that are examined", "1048576")
      .type();
}

Object<Http> request_object(std::string noun) {
  return Object<Http>(std::move(noun))
      .key("path", &Http::path, word("a path that begins with '/'", "/"), "path to request", "/health")
      .key("host", &Http::host, word("a host name"), "the Host header", "shop.example.com")
      .when_absent("the server's address")
      .key("method", &Http::method, method(), "the request's method", "HEAD")
      .key("headers", &Http::headers, headers(), "further headers of the request", "{ Accept: text/plain }")
      .when_absent("none")
      .key("authorization_file", &Http::authorization_file, secret_path(),
           "a file, mode 0600, with the value of the Authorization header on its first line",
           "/etc/directord/health.auth")
      .when_absent("no Authorization header")
      .key("body", &Http::body, bytes(), "the request's body", "'{\"deep\": true}'")
      .when_absent("none")
      .key("follow", &Http::follow, integer<int>(0, 10),
           "maximum number of redirects to follow, only to the server's own address and within the same timeout", "2")
      .key("expect", std::identity(), expected_answer(), "requirements that the answer must meet", "{ status: 200 }")
      .when_absent("status 200");
}

}  // namespace

Object<Http> http_object() { return request_object("http probe"); }

Object<Http> https_object() {
  return request_object("https probe")
      .key(
          "tls", [](Http& http) -> checkers::Tls& { return http.tls.emplace(); }, tls_object().type(),
          "TLS settings of the connection", "{ verify: false }")
      .when_absent("certificate verified against the host's name");
}

}  // namespace config
