// The operator's weights: given, for a time or until they are taken back, and over when that time is.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "director/engine/director.h"

namespace director {
namespace {

using std::chrono::system_clock;

/// A weight's time is on the clock on the wall, which may be set meanwhile: it is looked at this often at least.
constexpr auto longest_wait = std::chrono::seconds(60);

}  // namespace

RequestResult<std::string> Director::set_weight(const std::string& service, const std::string& server,
                                                std::optional<std::uint32_t> weight, const std::string& reason,
                                                std::optional<std::chrono::seconds> time) {
  const auto id = find(service, server);
  if (!id) return std::unexpected(no_server(service, server));
  const std::string name = name_of(*id);
  const auto now = loop_.clock().wall();
  change_orders(name, [&](Orders& orders) {
    orders.weight.reset();
    if (!weight) return;
    orders.weight = {.value = *weight, .since = now, .reason = reason};
    if (time) orders.weight->until = now + *time;
  });
  heed_orders(*id);
  const auto of_file = cluster_.services[id->service].servers[id->server].weight;
  auto event = events::server_weight(name, weight, of_file, reason, time);
  auto answer = fmt::format("{} has {}", name, event.text);
  log_.add(std::move(event));
  apply();
  look_at_weights();
  return answer;
}

void Director::look_at_weights() {
  loop_.cancel(std::exchange(weight_timer_, 0));
  const auto now = loop_.clock().wall();
  auto wait = system_clock::duration::max();
  std::vector<std::string> over;
  for (const auto& [name, orders] : store_.state().orders) {
    if (!orders.weight || !orders.weight->until) continue;
    if (*orders.weight->until <= now) {
      over.push_back(name);
    } else {
      wait = std::min(wait, *orders.weight->until - now);
    }
  }
  for (const auto& name : over) end_weight(name);
  if (!over.empty()) apply();
  if (wait == system_clock::duration::max()) return;
  weight_timer_ = loop_.after(std::min<net::Duration>(wait, longest_wait), [this] { look_at_weights(); });
}

/// Also of a server that has left the file since.
void Director::end_weight(const std::string& name) {
  const auto ended = *store_.state().orders.at(name).weight;
  change_orders(name, [](Orders& orders) { orders.weight.reset(); });
  const auto slash = name.find('/');
  const auto id = find(name.substr(0, slash), name.substr(slash + 1));
  const auto of_file = id ? std::optional(cluster_.services[id->service].servers[id->server].weight) : std::nullopt;
  log_.add(events::server_weight_over(name, ended.value, of_file));
  if (id) heed_orders(*id);
}

}  // namespace director
