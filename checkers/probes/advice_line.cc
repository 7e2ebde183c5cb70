#include "checkers/probes/advice_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "checkers/text.h"
#include "net/ascii.h"

namespace checkers {
namespace {

constexpr std::string_view separators = " \t\r,";

/// "75%" or "12"; nothing for what is not a number of 0..65535.
std::optional<Advice::Weight> parse_weight(std::string_view word) {
  Advice::Weight weight{.value = 0, .percent = word.ends_with('%')};
  if (weight.percent) word.remove_suffix(1);
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), weight.value);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return weight;
}

/// Takes one word into the line; false if it is none of the language's.
bool take(AdviceLine& line, std::string_view text) {
  const std::string word = net::to_lower(text);
  using enum Advice::AdminState;
  if (word == "up" || word.starts_with("maxconn:")) return true;
  if (word == "down" || word == "fail" || word == "failed" || word == "stopped") {
    line.passes = false;
  } else if (word == "ready") {
    line.advice.admin_state = ready;
  } else if (word == "drain") {
    line.advice.admin_state = drain;
  } else if (word == "maint") {
    line.advice.admin_state = maint;
  } else if (const auto weight = parse_weight(word)) {
    line.advice.weight = weight;
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::optional<AdviceLine> AdviceLine::parse(std::string_view text) {
  AdviceLine line;
  const auto hash = text.find('#');
  bool any = false;
  auto words = text.substr(0, hash);
  for (;;) {
    words.remove_prefix(std::min(words.find_first_not_of(separators), words.size()));
    if (words.empty()) break;
    const auto word = words.substr(0, words.find_first_of(separators));
    words.remove_prefix(word.size());
    if (!take(line, std::string(word))) return std::nullopt;
    if (any) line.reason += ' ';
    line.reason += word;
    any = true;
  }
  if (!any) return std::nullopt;
  if (hash != std::string_view::npos) {
    auto why = text.substr(hash + 1);
    why.remove_prefix(std::min(why.find_first_not_of(separators), why.size()));
    if (!why.empty()) line.reason += ", " + quote(why, 80);
  }
  return line;
}

}  // namespace checkers
