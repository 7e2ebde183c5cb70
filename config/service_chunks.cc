#include "config/service_chunks.h"

#include <algorithm>

namespace config {
namespace {

constexpr std::string_view key = "services:";
constexpr std::string_view blanks = " \t\r\n";

bool is_title(std::string_view line) {
  if (!line.starts_with(key)) return false;
  const auto rest = line.find_first_not_of(blanks, key.size());
  return rest == std::string_view::npos || (rest > key.size() && line[rest] == '#');
}

}  // namespace

ServiceChunks split(std::string_view text) {
  ServiceChunks whole = {.before = text};
  constexpr auto none = std::string_view::npos;
  std::size_t title = none, end = text.size();
  std::vector<std::size_t> starts;  // of the members
  ServiceChunks found;
  std::uint32_t number = 0;
  std::size_t indentation = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto next = std::min(text.find('\n', at), text.size() - 1) + 1;
    const auto line = text.substr(at, next - at);
    const auto first = line.find_first_not_of(' ');
    ++number;
    if (title == none) {
      if (is_title(line)) title = at;
    } else if (const char c = first == none ? '\n' : line[first]; c != '\n' && c != '\r' && c != '#') {
      if (first == 0) {
        end = at;
        break;
      }
      if (starts.empty()) indentation = first;
      if (first < indentation || c == '\t') return whole;
      if (first == indentation) {
        starts.push_back(at);
        found.chunks.push_back({.line = number, .column = static_cast<std::uint32_t>(first) + 1});
      }
    }
    at = next;
  }
  if (starts.empty()) return whole;
  found.before = text.substr(0, title);
  found.title = text.substr(title, starts.front() - title);
  found.after = text.substr(end);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    found.chunks[i].text = text.substr(starts[i], (i + 1 < starts.size() ? starts[i + 1] : end) - starts[i]);
  }
  return found;
}

}  // namespace config
