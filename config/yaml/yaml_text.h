#pragma once

#include <yaml-cpp/mark.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/yaml/document.h"

/// What only the characters of a YAML source can tell: whether they are text at all, and why the parser stopped.
/// Included by document.cc alone; yaml-cpp's types are not used elsewhere.
namespace config {

struct Fault {
  Place place;
  std::string message;
};

class YamlText {
 public:
  /// `text` must outlive this.
  YamlText(std::string_view text, std::uint32_t source);

  [[nodiscard]] Place place(const YAML::Mark& mark) const;

  /// Why this cannot be a cluster file at all: another encoding, or no text.
  [[nodiscard]] std::optional<Fault> not_text() const;

  /// Whether the quoted scalar that stands (perhaps after its anchor) at `place` ends before the text does. yaml-cpp
  /// takes the end of the file for the closing quote.
  [[nodiscard]] bool quote_is_closed(Place place) const;

  /// yaml-cpp's error as a message that helps; `open_flow` is the innermost `{` or `[` without its end.
  [[nodiscard]] Fault syntax_fault(const YAML::Mark& mark, std::string_view parser_message,
                                   const YamlNode* open_flow) const;

 private:
  [[nodiscard]] std::string_view line(std::uint32_t number) const;
  [[nodiscard]] std::size_t offset(Place place) const;
  [[nodiscard]] Fault stray_colon(Place place) const;
  [[nodiscard]] Fault open_bracket(Place place, const YamlNode& opened) const;

  std::string_view text_;
  std::uint32_t source_;
  std::vector<std::size_t> starts_;  ///< the byte offsets at which lines begin
};

}  // namespace config
