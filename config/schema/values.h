#pragma once

#include <fmt/format.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/schema/other_tools.h"
#include "config/schema/type.h"
#include "net/address.h"
#include "net/endpoint.h"
#include "net/time.h"

/// The types of single values: numbers, durations, addresses, names.
namespace config {

/// A decimal whole number within bounds; the error is a hint for the message.
std::expected<std::int64_t, std::string> parse_integer(std::string_view text, std::int64_t minimum,
                                                       std::int64_t maximum);

/// A number with a unit: "250ms", "1.5s", "5m", "2h"; exact in milliseconds. The error is a hint for the message.
std::expected<std::chrono::milliseconds, std::string> parse_duration(std::string_view text);

/// "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80"; without a port it is 0. The error is a hint.
std::expected<net::Endpoint, std::string> parse_endpoint(std::string_view text);

/// For an IPv6 address without brackets whose last group may have been meant as a port, that reading of it:
/// "[2001:db8::1]:80" for 2001:db8::1:80. Empty for any other text.
std::string with_port_in_brackets(std::string_view text);

/// `text`, which may look like a number: `expect: 220` needs no quotes, but an editor does not take it for text.
Shape or_number(Shape text);

Type<bool> boolean();
Type<net::Address> address();
Type<net::Prefix> prefix();

/// An address with or without a port.
Type<net::Endpoint> endpoint();

/// A name that the file gives or refers to.
Type<std::string> name(std::string expected);

/// A network interface's name, as the kernel allows it; or also one of its further names (altname), which may be
/// longer.
Type<std::string> interface_name();
Type<std::string> interface_or_altname();

/// Printable text without blanks that begins with `first` (any text when that is empty).
Type<std::string> word(std::string expected, std::string first = "");

template <std::integral T>
Type<T> integer(std::int64_t minimum = 0, std::int64_t maximum = std::numeric_limits<T>::max()) {
  Shape shape = {.kind = Shape::Kind::integer,
                 .expected = fmt::format("a whole number from {} to {}", minimum, maximum),
                 .minimum = minimum,
                 .maximum = maximum};
  auto type = scalar<T>(
      std::move(shape),
      [minimum, maximum](std::string_view text) -> std::expected<T, std::string> {
        const auto number = parse_integer(text, minimum, maximum);
        if (!number) return std::unexpected(number.error());
        return static_cast<T>(*number);
      },
      true);
  type.show = [](const T& value) { return fmt::format("{}", value); };
  return type;
}

/// A span of time from `minimum` to `maximum` in whole steps.
template <class D>
Type<D> duration(D minimum, D maximum, D step = D{1}) {
  using net::to_string;
  Shape shape = {.kind = Shape::Kind::text,
                 .expected = fmt::format("a duration from {} to {}", to_string(minimum), to_string(maximum)),
                 .pattern = R"(^[0-9]+(\.[0-9]+)?(ms|s|m|h)$)"};
  auto type = scalar<D>(std::move(shape), [=](std::string_view text) -> std::expected<D, std::string> {
    const auto parsed = parse_duration(text);
    if (!parsed) return std::unexpected(parsed.error());
    if (*parsed < minimum || *parsed > maximum) return std::unexpected("");
    if (*parsed % step != parsed->zero()) return std::unexpected("; it must be a multiple of " + to_string(step));
    return std::chrono::duration_cast<D>(*parsed);
  });
  type.show = [](const D& value) { return to_string(value); };
  return type;
}

/// One of a few words, each with its meaning in C++.
template <class T>
Type<T> choice(std::vector<std::pair<std::string, T>> words) {
  Shape shape = {.kind = Shape::Kind::choice};
  for (const auto& [text, value] : words) shape.choices.push_back(text);
  shape.expected = listed(shape.choices, "or");
  auto type = scalar<T>(shape, [words, names = shape.choices](std::string_view text) -> std::expected<T, std::string> {
    for (const auto& [word, value] : words) {
      if (word == text) return value;
    }
    if (const auto known = known_elsewhere(text, names); !known.empty()) return std::unexpected("; " + known);
    const auto meant = nearest(text, names);
    return std::unexpected(meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant));
  });
  type.show = [words](const T& value) {
    for (const auto& [word, meaning] : words) {
      if (meaning == value) return word;
    }
    return std::string();
  };
  return type;
}

/// Where a secret lies; who reads it checks that nobody else can.
[[nodiscard]] Type<std::string> secret_path();

}  // namespace config
