#include "director/control/status_writer.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "director/control/status.h"

namespace director {

using nlohmann::ordered_json;

namespace {

/// A turn's, of some 10 us each: adverts may be 10 ms apart.
constexpr std::size_t servers_a_turn = 50;

/// Names come from files that may be no UTF-8.
std::string dumped(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace

void StatusWriter::write(Table table, Then then) {
  if (texts_.empty() || texts_.back().cluster || texts_.back().table != table) {
    texts_.push_back({.table = std::move(table), .then = {}});
  }
  texts_.back().then.push_back(std::move(then));
  go_on();
}

void StatusWriter::go_on() {
  if (timer_ != 0 || texts_.empty()) return;
  timer_ = engine_.loop().at(engine_.loop().now(), [this] { write_some(); });
}

void StatusWriter::write_some() {
  timer_ = 0;
  Text& text = texts_.front();
  const auto& table = *text.table;
  if (auto now = engine_.in_force().shared(); text.cluster != now) {
    text.cluster = std::move(now);
    text.next = 0;
    text.status = dumped(status_but_services(engine_, table));
    text.status.back() = ',';  // in place of the closing brace
    text.status += "\"services\":[";
  }
  const auto& services = text.cluster->services;
  for (std::size_t written = 0; text.next < services.size(); ++text.next) {
    if (written >= servers_a_turn) return go_on();
    const auto& service = services[text.next];
    if (text.next > 0) text.status += ',';
    text.status += dumped(service_status(engine_, service, table));
    written += 1 + service.servers.size();
  }
  text.status += "]}\n";
  const auto whole = std::make_shared<const std::string>(std::move(text.status));
  auto then = std::move(text.then);
  texts_.pop_front();
  for (auto& each : then) each(whole);  // and may ask for the next
  go_on();
}

}  // namespace director
