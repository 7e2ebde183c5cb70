#include "config/schema/values.h"

#include <algorithm>
#include <charconv>

namespace config {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool all_digits(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_digit); }

constexpr std::string_view address_characters = "[0-9a-fA-F:.]+";
constexpr std::string_view ranged_address_characters = R"([0-9a-fA-F:.]*(\([0-9]+-[0-9]+\)[0-9a-fA-F:.]*)?)";

/// The hint for text in the place of an address.
std::string not_an_address(std::string_view text) {
  const bool is_name = std::ranges::any_of(text, [](char c) { return (c > 'f' && c <= 'z') || (c > 'F' && c <= 'Z'); });
  return is_name ? "; names are not looked up" : "";
}

/// The port after a ':'; the error is a hint.
std::expected<std::uint16_t, std::string> parse_port(std::string_view digits) {
  const auto port = parse_integer(digits, 1, 65535);
  if (!port) return std::unexpected(fmt::format("; a port is a number from 1 to 65535, not {}", in_quotes(digits)));
  return static_cast<std::uint16_t>(*port);
}

}  // namespace

std::expected<std::int64_t, std::string> parse_integer(std::string_view text, std::int64_t minimum,
                                                       std::int64_t maximum) {
  const auto digits = text.starts_with('-') ? text.substr(1) : text;
  if (!all_digits(digits)) return std::unexpected("");
  // YAML 1.1 reads 010 as eight, YAML 1.2 as ten.
  if (digits.size() > 1 && digits.front() == '0') return std::unexpected("; a number has no leading zero");
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < minimum || number > maximum) return std::unexpected("");
  return number;
}

std::expected<std::chrono::milliseconds, std::string> parse_duration(std::string_view text) {
  using namespace std::chrono_literals;
  constexpr std::string_view units = "; a duration is a number with its unit: 250ms, 2s, 5m or 1h";
  const auto unit_at = static_cast<std::size_t>(
      std::ranges::find_if_not(text, [](char c) { return is_digit(c) || c == '.'; }) - text.begin());
  const auto number = text.substr(0, unit_at);
  const auto unit = text.substr(unit_at);
  const auto point = number.find('.');
  const auto whole = number.substr(0, point);
  const auto fraction = point == std::string_view::npos ? std::string_view("0") : number.substr(point + 1);
  if (!all_digits(whole) || !all_digits(fraction)) return std::unexpected(std::string(units));
  if (unit.empty()) return std::unexpected(fmt::format("; the unit is missing: {0}ms, {0}s, {0}m or {0}h", number));
  const auto scale = unit == "ms"  ? 1ms
                     : unit == "s" ? 1000ms
                     : unit == "m" ? 60'000ms
                     : unit == "h" ? 3'600'000ms
                                   : 0ms;
  if (scale == 0ms) return std::unexpected(fmt::format("; the units are ms, s, m and h, not {}", in_quotes(unit)));
  if (whole.size() > 9 || fraction.size() > 9) return std::unexpected("");

  std::int64_t units_whole = 0, numerator = 0, denominator = 1;
  std::from_chars(whole.data(), whole.data() + whole.size(), units_whole);
  std::from_chars(fraction.data(), fraction.data() + fraction.size(), numerator);
  for (std::size_t i = 0; i < fraction.size(); ++i) denominator *= 10;
  if (numerator * scale.count() % denominator != 0) return std::unexpected("; the smallest unit is one millisecond");
  return units_whole * scale + std::chrono::milliseconds(numerator * scale.count() / denominator);
}

std::string with_port_in_brackets(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || !net::Address::parse(text) || !parse_port(text.substr(colon + 1))) return {};
  const auto host = net::Address::parse(text.substr(0, colon));
  return host && host->is_v6() ? fmt::format("[{}]{}", text.substr(0, colon), text.substr(colon)) : std::string();
}

std::expected<net::Endpoint, std::string> parse_endpoint(std::string_view text) {
  if (const auto plain = net::Address::parse(text)) return net::Endpoint{.address = *plain, .port = 0};
  const bool bracketed = text.starts_with('[');
  const auto host_end = bracketed ? text.find(']') : text.rfind(':');
  if (host_end == std::string_view::npos) return std::unexpected(not_an_address(text));
  const auto host = bracketed ? text.substr(1, host_end - 1) : text.substr(0, host_end);
  const auto rest = text.substr(bracketed ? host_end + 1 : host_end);
  const auto parsed = net::Address::parse(host);
  if (!parsed || parsed->is_v6() != bracketed) return std::unexpected(not_an_address(host));
  if (rest.empty()) return net::Endpoint{.address = *parsed, .port = 0};
  if (!rest.starts_with(':')) return std::unexpected("");
  const auto port = parse_port(rest.substr(1));
  if (!port) return std::unexpected(port.error());
  return net::Endpoint{.address = *parsed, .port = *port};
}

Shape or_number(Shape text) {
  const Shape number = {.kind = Shape::Kind::integer,
                        .minimum = std::numeric_limits<std::int64_t>::min(),
                        .maximum = std::numeric_limits<std::int64_t>::max()};
  auto expected = text.expected;
  return {.kind = Shape::Kind::any_of, .expected = std::move(expected), .of = {std::move(text), number}};
}

Type<bool> boolean() {
  auto type = scalar<bool>(
      {.kind = Shape::Kind::boolean, .expected = "true or false"},
      [](std::string_view text) -> std::expected<bool, std::string> {
        if (text == "true" || text == "false") return text == "true";
        return std::unexpected("");
      },
      true);
  type.show = [](const bool& value) { return std::string(value ? "true" : "false"); };
  return type;
}

Type<net::Address> address() {
  return scalar<net::Address>(
      {.expected = "an IPv4 or IPv6 address", .pattern = fmt::format("^{}$", address_characters)},
      [](std::string_view text) -> std::expected<net::Address, std::string> {
        if (const auto parsed = net::Address::parse(text)) return *parsed;
        return std::unexpected(not_an_address(text));
      });
}

Type<net::Prefix> prefix() {
  return scalar<net::Prefix>({.expected = "an address with its prefix length, such as 192.0.2.10/24",
                              .pattern = fmt::format("^{}/[0-9]+$", address_characters)},
                             [](std::string_view text) -> std::expected<net::Prefix, std::string> {
                               if (net::Address::parse(text)) {
                                 return std::unexpected("; the prefix length is missing, such as /24 or /32");
                               }
                               if (const auto parsed = net::Prefix::parse(text)) return *parsed;
                               return std::unexpected(not_an_address(text.substr(0, text.find('/'))));
                             });
}

Type<net::Endpoint> endpoint() {
  auto type = scalar<net::Endpoint>({.expected = "an address, with or without a port",
                                     .pattern = fmt::format(R"(^({0}|\[{0}\](:[0-9]+)?)$)", ranged_address_characters)},
                                    parse_endpoint);
  type.read = [read = std::move(type.read)](Reader& reader, const YamlNode& node, net::Endpoint& value) {
    read(reader, node, value);
    const auto meant = reader.failed(node) ? std::string() : with_port_in_brackets(node.text);
    if (meant.empty()) return;
    reader.warn(node, fmt::format("{} is read as an address without a port; write \"{}\" with a port, \"[{}]\" without",
                                  in_quotes(node.text), meant, node.text));
  };
  return type;
}

Type<std::string> word(std::string expected, std::string first) {
  auto type = scalar<std::string>(
      {.expected = std::move(expected), .pattern = fmt::format("^{}[!-~]{}$", first, first.empty() ? '+' : '*')},
      [first](std::string_view text) -> std::expected<std::string, std::string> {
        const bool printable = std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
        if (text.empty() || !printable || !text.starts_with(first)) return std::unexpected("");
        return std::string(text);
      });
  type.show = [](const std::string& text) { return text; };
  return type;
}

Type<std::string> name(std::string expected) {
  return scalar<std::string>({.expected = std::move(expected), .pattern = std::string(name_pattern)},
                             [](std::string_view text) -> std::expected<std::string, std::string> {
                               if (!is_name(text)) return std::unexpected(fmt::format("; {}", name_rule));
                               return std::string(text);
                             });
}

namespace {

// dev_valid_name() in the kernel's net/core/dev.c.
Type<std::string> name_of_interface(std::string expected, std::size_t longest) {
  return scalar<std::string>({.expected = std::move(expected), .pattern = fmt::format("^[^/: ]{{1,{}}}$", longest)},
                             [longest](std::string_view text) -> std::expected<std::string, std::string> {
                               if (text.size() > longest)
                                 return std::unexpected(fmt::format("; it has at most {} characters", longest));
                               const bool allowed =
                                   std::ranges::all_of(text, [](char c) { return c > ' ' && c != '/' && c != ':'; });
                               if (text.empty() || text == "." || text == ".." || !allowed) return std::unexpected("");
                               return std::string(text);
                             });
}

}  // namespace

// Without its NUL: IFNAMSIZ, ALTIFNAMSIZ.
Type<std::string> interface_name() { return name_of_interface("a network interface's name", 15); }
Type<std::string> interface_or_altname() { return name_of_interface("a network interface's name or altname", 127); }

Type<std::string> secret_path() {
  return scalar<std::string>({.expected = "an absolute path", .pattern = "^/"},
                             [](std::string_view text) -> std::expected<std::string, std::string> {
                               if (!text.starts_with('/')) return std::unexpected("");
                               return std::string(text);
                             });
}

}  // namespace config
