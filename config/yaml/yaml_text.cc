#include "config/yaml/yaml_text.h"

#include <fmt/format.h>
#include <yaml-cpp/exceptions.h>

#include <algorithm>
#include <utility>

#include "net/address.h"
#include "net/utf8.h"

namespace config {
namespace {

/// A line without its comment and the blanks around it. A '#' in quotes is taken for a comment too: it only serves
/// hints.
std::string_view bare(std::string_view line) {
  if (const auto comment = line.find(" #"); comment != std::string_view::npos) line = line.substr(0, comment);
  const auto first = line.find_first_not_of(" \t");
  if (first == std::string_view::npos || line[first] == '#') return {};
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

/// The IPv6 address in brackets, with the port behind it, that stands in `line` without quotes; empty: none.
std::string_view bracketed_address(std::string_view line) {
  for (auto open = line.find('['); open != std::string_view::npos; open = line.find('[', open + 1)) {
    const bool quoted = open > 0 && (line[open - 1] == '"' || line[open - 1] == '\'' || line[open - 1] == '/');
    const auto close = line.find(']', open);
    if (close == std::string_view::npos) return {};
    const auto parsed = net::Address::parse(line.substr(open + 1, close - open - 1));
    if (quoted || !parsed || !parsed->is_v6()) continue;
    auto end = close + 1;
    if (end < line.size() && line[end] == ':')
      end = std::min(line.find_first_not_of("0123456789", end + 1), line.size());
    if (end > close + 2) return line.substr(open, end - open);
  }
  return {};
}

}  // namespace

YamlText::YamlText(std::string_view text, std::uint32_t source) : text_(text), source_(source), starts_{0} {
  for (auto at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    starts_.push_back(at + 1);
  }
}

Place YamlText::place(const YAML::Mark& mark) const {
  if (mark.is_null()) return {.source = source_};
  if (std::cmp_greater_equal(mark.line, starts_.size())) {  // behind the newline that parse() adds at the end
    return {.source = source_,
            .line = static_cast<std::uint32_t>(starts_.size()),
            .column = static_cast<std::uint32_t>(text_.size() - starts_.back()) + 1};
  }
  return {.source = source_,
          .line = static_cast<std::uint32_t>(mark.line) + 1,
          .column = static_cast<std::uint32_t>(mark.column) + 1};
}

std::string_view YamlText::line(std::uint32_t number) const {
  if (number == 0 || number > starts_.size()) return {};
  const auto rest = text_.substr(starts_[number - 1]);
  return rest.substr(0, rest.find('\n'));
}

std::size_t YamlText::offset(Place place) const {
  if (place.line == 0 || place.line > starts_.size()) return text_.size();
  return std::min(text_.size(), starts_[place.line - 1] + place.column - 1);
}

std::optional<Fault> YamlText::not_text() const {
  if (text_.starts_with("\xff\xfe") || text_.starts_with("\xfe\xff")) {
    return Fault{{.source = source_}, "is UTF-16; expected UTF-8"};
  }
  std::uint32_t number = 1;
  std::size_t line_start = 0;
  for (std::size_t at = 0; at < text_.size();) {
    const auto byte = static_cast<unsigned char>(text_[at]);
    const auto length = net::utf8_length(text_.substr(at));
    const bool control = (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
    if (length == 0 || control) {
      const Place place = {
          .source = source_, .line = number, .column = static_cast<std::uint32_t>(at - line_start) + 1};
      return Fault{place, length == 0 ? fmt::format("byte 0x{:02x} is not UTF-8; expected text", byte)
                                      : fmt::format("control character 0x{:02x}; expected text", byte)};
    }
    at += length;
    if (byte != '\n') continue;
    ++number;
    line_start = at;
  }
  return std::nullopt;
}

bool YamlText::quote_is_closed(Place place) const {
  auto rest = text_.substr(offset(place));
  if (rest.starts_with('&')) {  // the mark is the anchor's
    rest.remove_prefix(std::min(rest.find_first_of(" \t\r\n"), rest.size()));
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
  }
  if (!rest.starts_with('"') && !rest.starts_with('\'')) return true;  // a block scalar
  const char quote = rest.front();
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (quote == '"' && rest[i] == '\\') {
      ++i;
    } else if (rest[i] == quote) {
      if (quote == '"' || i + 1 >= rest.size() || rest[i + 1] != quote) return true;
      ++i;
    }
  }
  return false;
}

Fault YamlText::stray_colon(Place place) const {
  std::string hint;
  for (auto number = place.line; number > 1;) {
    const auto above = bare(line(--number));
    if (above.empty()) continue;
    if (above.find(": ") == std::string_view::npos && !above.ends_with(':')) {
      const auto word = above.substr(0, above.find_first_of(" :"));
      if (word.size() == above.size()) {
        hint = fmt::format("; is a ':' missing at the end of line {}?", number);
      } else if (above[word.size()] == ' ') {
        hint = fmt::format("; is a ':' missing after {} on line {}?", in_quotes(word), number);
      } else {
        hint = fmt::format("; is a space missing after ':' on line {}?", number);
      }
    }
    break;
  }
  if (hint.empty()) hint = "; check the indentation; text that contains ': ' needs quotes";
  return {place, "a key is not allowed here" + hint};
}

Fault YamlText::open_bracket(Place place, const YamlNode& opened) const {
  const bool map = opened.kind == YamlNode::Kind::map;
  const auto open = map ? '{' : '[';
  const auto close = map ? '}' : ']';
  // Where the text ends is not where the mistake is.
  if (offset(place) >= text_.size())
    return {opened.place, fmt::format("the '{}' that opens here is never closed", open)};
  return {place,
          fmt::format("expected ',' or '{}'; the '{}' on line {} is still open", close, open, opened.place.line)};
}

Fault YamlText::syntax_fault(const YAML::Mark& mark, std::string_view parser_message, const YamlNode* open_flow) const {
  using namespace YAML::ErrorMsg;
  const auto at = place(mark);
  const auto here = line(at.line);
  const auto indentation = here.substr(0, std::min(here.find_first_not_of(" \t"), here.size()));
  if (const auto tab = indentation.find('\t'); tab != std::string_view::npos) {
    return {{.source = source_, .line = at.line, .column = static_cast<std::uint32_t>(tab) + 1},
            "a tab in the indentation; expected spaces"};
  }
  if (const auto address = bracketed_address(here); !address.empty()) {
    return {at, fmt::format("an IPv6 address in brackets needs quotes: \"{}\"", address)};
  }
  if (open_flow != nullptr &&
      (parser_message == END_OF_MAP_FLOW || parser_message == END_OF_SEQ_FLOW || parser_message == FLOW_END)) {
    return open_bracket(at, *open_flow);
  }
  if (parser_message == FLOW_END) return {at, "this closing bracket has no opening bracket"};
  if (parser_message == MAP_VALUE || parser_message == MAP_KEY) return stray_colon(at);
  if (parser_message == BLOCK_ENTRY) return {at, "a list item is not allowed here; check the indentation"};
  if (parser_message == END_OF_MAP || parser_message == END_OF_SEQ) {
    return {at, "this line's indentation matches none of the blocks above, or it is neither a key nor a list item"};
  }
  if (parser_message == UNKNOWN_TOKEN) {
    return {at, fmt::format("text cannot begin with {}; put it in quotes", in_quotes(text_.substr(offset(at), 1)))};
  }
  if (parser_message.starts_with(UNKNOWN_ANCHOR))
    return {at, "this alias has no anchor; define '&NAME' before '*NAME'"};
  return {at, fmt::format("not valid YAML: {}", parser_message)};
}

}  // namespace config
