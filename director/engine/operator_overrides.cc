#include "director/engine/operator_overrides.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "director/engine/reconciler.h"
#include "net/check.h"

namespace director {

RequestResult<std::string> OperatorOverrides::drain(const std::string& service, const std::string& server,
                                                    const std::string& reason,
                                                    std::optional<std::chrono::seconds> within) {
  const auto key = in_force_.find(service, server);
  if (!key) return std::unexpected(no_server(service, server));
  const std::string name = in_force_.name_of(*key);
  const auto now = store_.now();
  const auto* current = overrides_of(store_.state(), service, server);
  if (current != nullptr && current->drain && reason.empty() && !within && !current->drain->deadline) {
    return fmt::format("{} is already draining", name);
  }
  change(name, [&](Overrides& overrides) {
    if (!overrides.drain) overrides.drain = {.since = now, .reason = reason};
    if (!reason.empty()) overrides.drain->reason = reason;
    overrides.drain->deadline = within ? std::optional(now + *within) : std::nullopt;
  });
  reconciler_.mark_dirty(key->service);
  log_.add(events::server_drain(name, reason, within));
  reconciler_.reconcile();
  if (within && within->count() == 0)
    return fmt::format("{}: disabled; removed from the table, open connections are closed", name);
  const auto limit = within ? fmt::format(" (drain timeout {})", net::to_string(*within)) : "";
  return fmt::format("{}: draining; no new connections, open connections continue{}", name, limit);
}

RequestResult<std::string> OperatorOverrides::undrain(const std::string& service, const std::string& server) {
  const auto key = in_force_.find(service, server);
  const auto name = service + "/" + server;
  const auto* current = overrides_of(store_.state(), service, server);
  const bool drained = current != nullptr && current->drain;
  if (!key && !drained) return std::unexpected(no_server(service, server));
  if (!drained) return fmt::format("{} is not drained", name);
  const bool disabled = admin_state_in(*current, store_.now()) == AdminState::disabled;
  change(name, [](Overrides& overrides) { overrides.drain.reset(); });
  log_.add(events::server_undrain(name, disabled));
  if (!key) {
    return fmt::format("{}: no longer {}; not in the cluster file", name, disabled ? "disabled" : "drained");
  }
  reconciler_.mark_dirty(key->service);
  reconciler_.reconcile();
  return fmt::format("{}: gets new connections again as soon as its checks pass", name);
}

RequestResult<std::string> OperatorOverrides::set_weight(const std::string& service, const std::string& server,
                                                         std::optional<std::uint32_t> weight, const std::string& reason,
                                                         std::optional<std::chrono::seconds> time) {
  const auto key = in_force_.find(service, server);
  if (!key) return std::unexpected(no_server(service, server));
  const std::string name = in_force_.name_of(*key);
  const auto now = store_.now();
  change(name, [&](Overrides& overrides) {
    overrides.weight.reset();
    if (!weight) return;
    overrides.weight = {.value = *weight, .since = now, .reason = reason};
    if (time) overrides.weight->until = now + *time;
  });
  reconciler_.mark_dirty(key->service);
  auto event = events::server_weight(name, weight, in_force_.at(*key).weight, reason, time);
  auto answer = fmt::format("{}: {}", name, event.text);
  log_.add(std::move(event));
  reconciler_.reconcile();
  expire_weights();
  return answer;
}

void OperatorOverrides::expire_weights() {
  loop_.cancel(std::exchange(timer_, 0));
  const auto now = store_.now();
  std::optional<net::WallTime> next;
  std::vector<std::string> over;
  for (const auto& [name, overrides] : store_.state().overrides) {
    if (!overrides.weight || !overrides.weight->until) continue;
    const auto until = *overrides.weight->until;
    if (until <= now) {
      over.push_back(name);
    } else {
      next = std::min(until, next.value_or(until));
    }
  }
  for (const auto& name : over) end_weight(name);
  if (!over.empty()) reconciler_.reconcile();
  if (next) timer_ = loop_.after(*next - now, [this] { expire_weights(); });
}

/// Also of a server that has left the file since.
void OperatorOverrides::end_weight(const std::string& name) {
  const auto ended =
      net::must_find(store_.state().overrides, name, "a weight that is over is in the state").weight->value;
  change(name, [](Overrides& overrides) { overrides.weight.reset(); });
  const auto slash = name.find('/');
  const auto key = in_force_.find(name.substr(0, slash), name.substr(slash + 1));
  const auto file_weight = key ? std::optional(in_force_.at(*key).weight) : std::nullopt;
  log_.add(events::server_weight_expired(name, ended, file_weight));
  if (key) reconciler_.mark_dirty(key->service);
}

void OperatorOverrides::change(const std::string& name, const std::function<void(Overrides&)>& change) {
  store_.update([&](PersistentState& state) {
    Overrides& overrides = state.overrides[name];
    const auto before = overrides;
    change(overrides);
    const bool changed = overrides != before;
    if (overrides == Overrides{}) state.overrides.erase(name);
    return changed;
  });
}

RequestError OperatorOverrides::no_server(const std::string& service, const std::string& server) const {
  return {.kind = RequestError::Kind::not_found,
          .message = fmt::format("there is no server {}/{} in cluster {}", service, server, in_force_.cluster().name)};
}

AdminState admin_state_in(const Overrides& overrides, net::WallTime now) {
  if (!overrides.drain) return AdminState::enabled;
  return overrides.drain->deadline && *overrides.drain->deadline <= now ? AdminState::disabled : AdminState::drained;
}

}  // namespace director
