#include "config/yaml/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "net/utf8.h"

namespace config {
namespace {

constexpr std::size_t max_shown = 100;
constexpr std::size_t max_kept = 1000;      // a large file that is wrong throughout must not fill the memory
constexpr std::size_t max_errors = 10'000;  // nor take for ever: each one costs a search for what was meant
constexpr std::size_t max_line = 10'000;    // bytes; of a longer one only a part is kept

/// Characters of a text, a byte that belongs to none counted as one.
std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(std::max<std::size_t>(net::utf8_length(text), 1));
  return count;
}

/// The byte offsets at which the lines of a text begin, so that many diagnostics cost one pass.
std::vector<std::size_t> line_starts(std::string_view text) {
  std::vector<std::size_t> starts = {0};
  for (auto at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) starts.push_back(at + 1);
  return starts;
}

std::string_view line_at(std::string_view text, const std::vector<std::size_t>& starts, std::uint32_t line) {
  if (line == 0 || line > starts.size()) return {};
  auto found = text.substr(starts[line - 1]);
  found = found.substr(0, found.find('\n'));
  if (found.ends_with('\r')) found.remove_suffix(1);
  return found;
}

/// What of a long line is worth showing: a window around the column, both counted in characters.
struct Excerpt {
  std::string text;
  std::size_t caret = 0;  ///< characters before the caret
};

Excerpt excerpt(std::string_view line, std::uint32_t column) {
  constexpr std::size_t before = 60;
  constexpr std::size_t width = 110;
  Excerpt result;
  const std::size_t first = column > before + 20 ? column - before : 1;
  if (first > 1) result.text = "...";
  result.caret = column - first + result.text.size();
  for (std::size_t character = 1; !line.empty(); ++character) {
    const auto length = net::utf8_length(line);
    const auto whole = line.substr(0, std::max<std::size_t>(length, 1));
    line.remove_prefix(whole.size());
    if (character < first) continue;
    if (character == first + width) {
      result.text += "...";
      break;
    }
    result.text += length == 0 ? "?" : net::is_control(whole) ? " " : whole;
  }
  return result;
}

/// The line of a place, and the column in it, in characters. Columns of a very long line are counted in bytes.
void locate(std::string_view line, Place place, Diagnostic& diagnostic) {
  if (place.line == 0) return;
  diagnostic.column = place.column;
  const auto before = std::min<std::size_t>(line.size(), place.column == 0 ? 0 : place.column - 1);
  const auto begin = line.size() > max_line ? before - std::min(before, max_line / 20) : 0;
  if (line.size() > max_line) line = line.substr(0, before + max_line / 20);
  diagnostic.source = line.substr(begin);
  const auto column = count_characters(line.substr(begin, before - begin)) + 1;
  if (begin != 0) {
    diagnostic.source_column = static_cast<std::uint32_t>(column);
  } else {
    diagnostic.column = static_cast<std::uint32_t>(column);
  }
}

/// Edits (insert, delete, replace, swap neighbours) between two names, regardless of case.
std::size_t distance(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string to_string(const Diagnostic& diagnostic) {
  const auto kind = diagnostic.severity == Severity::error ? "error" : "warning";
  if (diagnostic.line == 0) return fmt::format("{}: {}: {}", diagnostic.file, kind, diagnostic.message);
  const auto column = diagnostic.source_column == 0 ? diagnostic.column : diagnostic.source_column;
  const auto shown = excerpt(diagnostic.source, column);
  return fmt::format("{}:{}:{}: {}: {}\n    {}\n    {:{}}^", diagnostic.file, diagnostic.line, diagnostic.column, kind,
                     diagnostic.message, shown.text, "", shown.caret);
}

std::string to_string(std::span<const Diagnostic> diagnostics) {
  std::string text;
  for (const auto& diagnostic : diagnostics) text += to_string(diagnostic) + "\n";
  return text;
}

void Diagnostics::error(Place place, std::string message) {
  has_errors_ = true;
  if (++errors_ > max_errors) throw ReadingEnded{};
  if (!has_error_at(place)) add({.place = place, .severity = Severity::error, .message = std::move(message)});
}

void Diagnostics::end(Place place, std::string message) {
  error(place, std::move(message));
  throw ReadingEnded{};
}

void Diagnostics::warning(Place place, std::string message) {
  if (!has_error_at(place)) add({.place = place, .severity = Severity::warning, .message = std::move(message)});
}

bool Diagnostics::has_error_at(Place place) const {
  const auto at = findings_.lower_bound(Finding{.place = place, .severity = Severity::error, .message = ""});
  return at != findings_.end() && at->place == place && at->severity == Severity::error;
}

void Diagnostics::add(Finding finding) {
  findings_.insert(std::move(finding));
  if (findings_.size() <= max_kept) return;
  findings_.erase(std::prev(findings_.end()));
  ++dropped_;
}

std::vector<Diagnostic> Diagnostics::in_order(std::span<const Source> sources) const {
  std::vector<Diagnostic> ordered;
  std::map<std::uint32_t, std::vector<std::size_t>> starts;
  for (const auto& [place, severity, message] : findings_) {
    const Source& source = sources[place.source];
    if (ordered.size() == max_shown) {
      ordered.push_back(
          {.severity = severity,
           .file = source.name,
           .message = fmt::format("{}{} more messages are not shown", errors_ > max_errors ? "at least " : "",
                                  findings_.size() - max_shown + dropped_),
           .source = ""});
      break;
    }
    auto& known = starts[place.source];
    if (known.empty()) known = line_starts(source.text);
    const auto line = line_at(source.text, known, place.line);
    auto& each = ordered.emplace_back(
        Diagnostic{.severity = severity, .file = source.name, .line = place.line, .message = message, .source = ""});
    locate(line, place, each);
  }
  return ordered;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t max = 60;
  std::string result = "'";
  for (std::size_t count = 0; !text.empty(); ++count) {
    if (count == max) {
      result += "...";
      break;
    }
    const auto character = text.substr(0, std::max<std::size_t>(net::utf8_length(text), 1));
    text.remove_prefix(character.size());
    result += net::printable(character);
  }
  return result + "'";
}

std::string listed(std::span<const std::string> names, std::string_view last) {
  if (names.empty()) return "none";
  if (names.size() == 1) return names.front();
  return fmt::format("{} {} {}", fmt::join(names.first(names.size() - 1), ", "), last, names.back());
}

std::string_view nearest(std::string_view name, std::span<const std::string> known) {
  const bool has_letter = std::ranges::any_of(name, [](unsigned char c) { return c >= 'A'; });
  if (name.size() > 64 || !has_letter) return {};  // of numbers none is meant by another
  std::string_view best;
  std::size_t least = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (const auto& candidate : known) {
    const auto edits = distance(name, candidate);
    if (edits >= least || edits >= std::max(name.size(), candidate.size())) continue;
    least = edits;
    best = candidate;
  }
  return best;
}

std::string suggestion(std::string_view name, std::span<const std::string> known) {
  if (const auto meant = nearest(name, known); !meant.empty()) return fmt::format("; did you mean '{}'?", meant);
  constexpr std::size_t max_listed = 25;
  if (known.size() > max_listed) return fmt::format("; {} names are known, none is similar", known.size());
  return known.empty() ? "; none is defined" : fmt::format("; known are {}", listed(known));
}

}  // namespace config
