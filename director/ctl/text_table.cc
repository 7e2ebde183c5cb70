#include "director/ctl/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ranges>
#include <string_view>

#include "net/time_text.h"
#include "net/utf8.h"

namespace director {

using nlohmann::json;

std::string table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) text += fmt::format("{:<{}}  ", row[i], widths[i]);
    text += row.back() + "\n";
  }
  return text;
}

std::string word(const json& value) {
  return net::printable(value.is_string() ? value.get_ref<const std::string&>() : value.dump());
}

std::string cell(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return "-";
  if (!found->is_array()) return word(*found);
  std::string text;
  for (const auto& item : *found) {
    if (!text.empty()) text += ", ";
    text += word(item);
  }
  return text.empty() ? "-" : text;
}

std::string lines(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return cell(object, name);
  std::string text;
  for (const auto line : std::views::split(found->get_ref<const std::string&>(), '\n')) {
    if (!text.empty()) text += '\n';
    text += net::printable({line.begin(), line.end()});
  }
  return text;
}

std::string milliseconds(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_integer()) return "-";
  return net::to_string(std::chrono::milliseconds(found->get<std::int64_t>()));
}

std::string role(const json& router) { return cell(router, router.contains("role") ? "role" : "state"); }

std::string time_cell(const json& object, const char* name) {
  auto text = cell(object, name);
  const auto time = net::parse_timestamp(text);
  return time ? net::timestamp_and_age(*time, std::chrono::system_clock::now()) : text;
}

const json& list(const json& object, const char* name) {
  static const json none = json::array();
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? *found : none;
}

}  // namespace director
