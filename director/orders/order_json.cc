#include "director/orders/order_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <stdexcept>

namespace director {
namespace {

using nlohmann::json;

constexpr std::size_t node_max = 256;  // of a node or a user
constexpr std::size_t processes_max = 1024;

std::string process_text(std::uint64_t process) { return fmt::format("{:016x}", process); }

std::uint64_t process_of(const std::string& text) {
  std::uint64_t process = 0;
  const auto* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, process, 16);
  if (text.size() != 16 || error != std::errc{} || stopped != end) throw std::invalid_argument("not a process");
  return process;
}

json version_to_json(const OrderVersion& version) {
  return {{"counter", version.counter}, {"node", version.node}, {"process", process_text(version.process)}};
}

OrderVersion version_from_json(const json& value) {
  return {.counter = number_in(member(value, "counter"), counter_max, "counter"),
          .node = name_in(member(value, "node"), node_max, "node"),
          .process = process_of(name_in(member(value, "process"), node_max, "process"))};
}

}  // namespace

std::uint64_t number_in(const json& value, std::uint64_t most, const char* what) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) {
    constexpr std::size_t shown = 64;
    throw std::invalid_argument(
        fmt::format("not a {}: {}", what, value.dump(-1, ' ', true, json::error_handler_t::replace).substr(0, shown)));
  }
  return value.get<std::uint64_t>();
}

std::string text_in(const json& value, std::size_t most, const char* what) {
  const auto* text = value.get_ptr<const std::string*>();
  if (text == nullptr || text->size() > most) throw std::invalid_argument(fmt::format("not a {}", what));
  return *text;
}

std::string name_in(const json& value, std::size_t most, const char* what) {
  auto text = text_in(value, most, what);
  if (text.empty()) throw std::invalid_argument(fmt::format("an empty {}", what));
  return text;
}

const json& member(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) throw std::invalid_argument(fmt::format("without {}", name));
  return *found;
}

void put_age(json& value, const char* name, WallTime at, WallTime now) {
  using std::chrono::milliseconds;
  if (at != WallTime()) value[name] = std::max<std::int64_t>(std::chrono::floor<milliseconds>(now - at).count(), 0);
}

WallTime time_before(const json& value, const char* name, WallTime now) {
  if (!value.contains(name)) return {};
  const std::chrono::milliseconds age(number_in(value.at(name), age_max, "time"));
  return std::max(now - age, WallTime(std::chrono::seconds(1)));
}

OrderKind kind_in(const json& value) {
  for (const auto kind : {OrderKind::drain, OrderKind::weight}) {
    if (value == to_string(kind)) return kind;
  }
  throw std::invalid_argument("not a kind of order");
}

json to_json(const OrderOrigin& origin) {
  json value = version_to_json(origin.version);
  if (!origin.by.empty()) value["by"] = origin.by;
  if (origin.replaces.counter != 0) value["replaces"] = version_to_json(origin.replaces);
  return value;
}

OrderOrigin origin_from_json(const json& value) {
  OrderOrigin origin{.version = version_from_json(value)};
  if (origin.version.counter == 0) throw std::invalid_argument("not a counter");
  if (value.contains("by")) origin.by = text_in(value.at("by"), node_max, "user");
  if (value.contains("replaces")) origin.replaces = version_from_json(value.at("replaces"));
  if (origin.replaces.counter == 0) origin.replaces = {};  // none, whatever else it says
  return origin;
}

json to_json(const KnownOrders& known) {
  json value = json::object();
  for (const auto& [process, counter] : known) value[process_text(process)] = counter;
  return value;
}

KnownOrders known_from_json(const json& value) {
  if (!value.is_object() || value.size() > processes_max) throw std::invalid_argument("not a list of processes");
  KnownOrders known;
  for (const auto& [process, counter] : value.items()) {
    known[process_of(process)] = number_in(counter, counter_max, "counter");
  }
  return known;
}

}  // namespace director
