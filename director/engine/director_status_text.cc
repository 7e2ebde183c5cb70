// The status as text, a piece in each turn of the loop.

#include <nlohmann/json.hpp>
#include <utility>

#include "director/engine/director.h"

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

void Director::write_status(Table table, std::move_only_function<void(std::string)> then) {
  status_texts_.push_back({.table = std::move(table), .then = std::move(then), .reloads = reloads_});
  go_on_with_status();
}

void Director::go_on_with_status() {
  if (status_timer_ != 0 || status_texts_.empty()) return;
  status_timer_ = loop_.at(loop_.now(), [this] { write_some_status(); });
}

void Director::write_some_status() {
  status_timer_ = 0;
  StatusText& writing = status_texts_.front();
  if (std::exchange(writing.reloads, reloads_) != reloads_) {
    writing.services.clear();
    writing.next = 0;
  }
  const auto& table = *writing.table;
  for (std::size_t written = 0; writing.next < cluster_.services.size() && written < servers_a_turn; ++writing.next) {
    if (!writing.services.empty()) writing.services += ',';
    writing.services += dumped(service_status(writing.next, table));
    written += 1 + cluster_.services[writing.next].servers.size();
  }
  if (writing.next == cluster_.services.size()) {
    std::string text = dumped(status_but_services(table));
    text.pop_back();  // the closing brace
    text += ",\"services\":[" + writing.services + "]}\n";
    auto then = std::move(writing.then);
    status_texts_.pop_front();
    then(std::move(text));  // and may ask for the next
  }
  go_on_with_status();
}

}  // namespace director
