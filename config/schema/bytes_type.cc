#include "config/schema/bytes_type.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>

#include "config/schema/values.h"
#include "net/ascii.h"

namespace config {
namespace {

using checkers::Match;

std::expected<std::string, std::string> parse_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); at += 2) {
    unsigned value = 0;
    const auto digits = text.substr(at, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || error != std::errc{} || end != digits.data() + 2) return std::unexpected("");
    bytes += static_cast<char>(value);
  }
  if (bytes.empty()) return std::unexpected("");
  return bytes;
}

Type<std::string> hex() {
  return scalar<std::string>(
      or_number({.expected = "bytes as pairs of hexadecimal digits", .pattern = "^([0-9a-fA-F]{2})+$"}), parse_hex);
}

/// With what a probe will give it.
RE2::Options regex_options() {
  RE2::Options options(RE2::Quiet);
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_max_mem(256 * 1024);
  return options;
}

std::expected<std::string, std::string> parse_regex(std::string_view text) {
  const RE2 compiled({text.data(), text.size()}, regex_options());
  if (!compiled.ok()) return std::unexpected("; " + compiled.error());
  return std::string(text);
}

Type<std::string> regex() {
  return scalar<std::string>({.expected = "a regular expression in RE2's syntax", .pattern = "."}, parse_regex);
}

/// Either what `simple` makes of text, or what `object` makes of a map.
template <class T, class Simple>
Type<T> text_or(Type<T> object, std::string expected, Simple simple) {
  Shape shape = {.kind = Shape::Kind::any_of,
                 .expected = std::move(expected),
                 .of = {or_number({.expected = "text"}), object.shape}};
  auto read = [expected = shape.expected, simple, read_object = std::move(object.read)](
                  Reader& reader, const YamlNode& node, T& value) {
    if (node.kind == YamlNode::Kind::map) return read_object(reader, node, value);
    if (node.kind != YamlNode::Kind::scalar || node.text.empty()) return reader.refuse(node, expected);
    simple(value, node.text);
  };
  return {.shape = std::move(shape), .read = std::move(read)};
}

// RFC 9110 section 5.6.2.
constexpr auto token_pattern = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("!#$%&'*+.^_`|~-").find(c) != std::string_view::npos;
  });
}

std::string lower_case(std::string text) { return net::to_lower(text); }

template <class T>
Type<std::map<std::string, T>> by_header(Type<T> item, std::string (*name_of)(std::string)) {
  Shape shape = {.kind = Shape::Kind::map,
                 .expected = "a map of header names, each with " + item.shape.expected,
                 .pattern = token_pattern,
                 .of = {item.shape}};
  auto read = [expected = shape.expected, read_item = std::move(item.read), name_of](
                  Reader& reader, const YamlNode& node, std::map<std::string, T>& all) {
    if (node.kind != YamlNode::Kind::map) return reader.refuse(node, expected);
    for (const auto& entry : node.entries) {
      if (is_token(entry.name)) {
        reader.subject = {.noun = "header", .name = entry.name, .place = entry.place};
        read_item(reader, *entry.value, all[name_of(entry.name)]);
      } else {
        reader.fail(*entry.value, fmt::format("{} is not a valid header name", in_quotes(entry.name)));
      }
    }
  };
  return {.shape = std::move(shape), .read = std::move(read)};
}

Type<std::string> header_value() {
  return scalar<std::string>(or_number({.expected = "one line of text", .pattern = "^[^\r\n]*$"}),
                             [](std::string_view text) -> std::expected<std::string, std::string> {
                               const bool one_line = std::ranges::none_of(text, [](char c) {
                                 const auto byte = static_cast<unsigned char>(c);
                                 return (byte < 0x20 && c != '\t') || byte == 0x7f;
                               });
                               if (!one_line) return std::unexpected("");
                               return std::string(text);
                             });
}

}  // namespace

std::uint64_t regex_instructions(const Match& match) {
  if (match.kind != Match::Kind::regex) return 0;
  const RE2 compiled(match.what, regex_options());
  return compiled.ok() ? static_cast<std::uint64_t>(compiled.ProgramSize()) : 0;
}

Type<std::string> bytes() {
  auto object = Object<std::string>("bytes")
                    .key("hex", std::identity(), hex(), "bytes in hexadecimal digits", "0d0a")
                    .required()
                    .type();
  return text_or(std::move(object), "text, or bytes as { hex: 0d0a }",
                 [](std::string& value, const std::string& text) { value = text; });
}

Type<Match> match() {
  auto object = Object<Match>("match")
                    .key("hex", &Match::what, hex(), "bytes that must occur, in hexadecimal digits", "0d0a")
                    .key(
                        "regex",
                        [](Match& match) -> std::string& {
                          match.kind = Match::Kind::regex;
                          return match.what;
                        },
                        regex(), "regular expression that must match, in RE2's syntax and on bytes", "'^220 .*ESMTP'")
                    .one_of({"hex", "regex"})
                    .type();
  return text_or(std::move(object), "text that must occur, { hex: 0d0a } or { regex: '^220 ' }",
                 [](Match& value, const std::string& text) { value = {.what = text}; });
}

Type<std::map<std::string, std::string>> headers() {
  return by_header(header_value(), [](std::string name) { return name; });
}

Type<std::map<std::string, Match>> expected_headers() { return by_header(match(), lower_case); }

Type<std::string> absolute_path(std::string of_what) {
  return scalar<std::string>(
      {.expected = "the absolute path of " + of_what, .pattern = "^/."},
      [](std::string_view text) -> std::expected<std::string, std::string> {
        if (text.size() < 2 || text.front() != '/' || text.find('\0') != std::string_view::npos) {
          return std::unexpected("");
        }
        return std::string(text);
      });
}

}  // namespace config
