#include "director/engine/persistent_state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "director/orders/order_json.h"
#include "net/fd.h"
#include "net/file.h"
#include "net/own_process.h"
#include "net/utf8.h"

namespace director {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int version = 2;
constexpr std::uint32_t weight_max = 65535;
constexpr std::size_t size_max = std::size_t{64} << 20;

json key_to_json(const ipvs::ServiceKey& key) {
  json value{{"protocol", std::to_underlying(key.protocol)}, {"endpoint", to_string(key.endpoint)}};
  if (key.fwmark != 0) value["fwmark"] = key.fwmark;
  return value;
}

WallTime time_of(const json& value) {
  constexpr std::uint64_t latest = 9'000'000'000;  // in the year 2255; what system_clock can count
  return WallTime(seconds(number_in(value, latest, "time")));
}

/// The whole seconds, as 0.1.0 reads them, and the milliseconds beside them where there are any.
void put_time(json& value, const std::string& name, WallTime time) {
  const auto whole = std::chrono::floor<seconds>(time);
  value[name] = whole.time_since_epoch().count();
  if (const auto rest = std::chrono::floor<milliseconds>(time - whole); rest.count() > 0) {
    value[name + "_ms"] = rest.count();
  }
}

WallTime get_time(const json& value, const std::string& name) {
  const auto part = value.contains(name + "_ms") ? number_in(value[name + "_ms"], 999, "number of milliseconds") : 0;
  return time_of(value.at(name)) + milliseconds(part);
}

ipvs::Protocol protocol_of(const json& value) {
  const auto number = number_in(value, 255, "protocol");
  for (const auto known : {ipvs::Protocol::none, ipvs::Protocol::tcp, ipvs::Protocol::udp, ipvs::Protocol::sctp}) {
    if (number == std::to_underlying(known)) return known;
  }
  throw std::invalid_argument("not a protocol: " + value.dump());
}

net::Endpoint endpoint_of(const json& value) {
  const auto endpoint = net::Endpoint::parse(value.get<std::string>());
  if (!endpoint) throw std::invalid_argument("not an endpoint: " + value.get<std::string>());
  return *endpoint;
}

ipvs::ServiceKey key_from_json(const json& value) {
  const auto fwmark = value.contains("fwmark") ? number_in(value["fwmark"], UINT32_MAX, "firewall mark") : 0;
  return {.protocol = protocol_of(value.at("protocol")),
          .endpoint = endpoint_of(value.at("endpoint")),
          .fwmark = static_cast<std::uint32_t>(fwmark)};
}

/// The number alone, as versions before 0.2 wrote it, and beside it what they do not read.
void put_weight(const Overrides::Weight& weight, json& value) {
  value["weight"] = weight.value;
  if (weight.since != WallTime()) put_time(value, "weight_since", weight.since);
  if (!weight.reason.empty()) value["weight_reason"] = weight.reason;
  if (weight.until) put_time(value, "weight_until", *weight.until);
  if (weight.origin.version.counter != 0) value["weight_order"] = director::to_json(weight.origin);
}

Overrides::Weight weight_from_json(const json& value) {
  Overrides::Weight weight{.value = static_cast<std::uint32_t>(number_in(value["weight"], weight_max, "weight"))};
  if (value.contains("weight_since")) weight.since = get_time(value, "weight_since");
  if (value.contains("weight_reason")) weight.reason = value["weight_reason"].get<std::string>();
  if (value.contains("weight_until")) weight.until = get_time(value, "weight_until");
  if (value.contains("weight_order")) weight.origin = origin_from_json(value["weight_order"]);
  return weight;
}

json to_json(const Overrides& overrides) {
  json value = json::object();
  if (overrides.weight) put_weight(*overrides.weight, value);
  if (overrides.drain) {
    auto& drain = value["drain"] = {{"reason", overrides.drain->reason}};
    put_time(drain, "since", overrides.drain->since);
    if (overrides.drain->deadline) put_time(drain, "deadline", *overrides.drain->deadline);
    if (const auto& origin = overrides.drain->origin; origin.version.counter != 0)
      drain["order"] = director::to_json(origin);
  }
  return value;
}

Overrides::Drain drain_from_json(const json& value) {
  Overrides::Drain drain{.since = get_time(value, "since"), .reason = value.at("reason").get<std::string>()};
  if (value.contains("deadline")) drain.deadline = get_time(value, "deadline");
  if (value.contains("order")) drain.origin = origin_from_json(value["order"]);
  return drain;
}

Overrides overrides_from_json(const json& value) {
  Overrides overrides;
  if (value.contains("drain")) overrides.drain = drain_from_json(value["drain"]);
  if (value.contains("weight")) overrides.weight = weight_from_json(value);
  return overrides;
}

/// What earlier programs do not read: what is over, and how far the orders of all are known.
void put_shared(const OrderBook& book, json& root) {
  if (book.counter == 0 && book.known.empty() && book.ended.empty()) return;
  auto& shared = root["shared_orders"] = {{"counter", book.counter}, {"known", director::to_json(book.known)}};
  auto& ended = shared["ended"] = json::array();
  for (const auto& [subject, order] : book.ended) {
    auto value = director::to_json(order.origin);
    value["server"] = subject.server;
    value["kind"] = to_string(subject.kind);
    put_time(value, "at", order.at);
    ended.push_back(std::move(value));
  }
}

void get_shared(const json& shared, OrderBook& book) {
  book.counter = number_in(member(shared, "counter"), counter_max, "counter");
  book.known = known_from_json(member(shared, "known"));
  for (const auto& value : member(shared, "ended")) {
    OrderSubject subject{.server = value.at("server").get<std::string>(), .kind = kind_in(member(value, "kind"))};
    book.ended[std::move(subject)] = {.origin = origin_from_json(value), .at = get_time(value, "at")};
  }
}

/// Calls `visit` with each beginning in a state and the end that goes with it.
void for_each_period(PersistentState& state, const auto& visit) {
  for (auto& [server, overrides] : state.orders.standing) {
    if (overrides.drain) visit(overrides.drain->since, overrides.drain->deadline);
    if (overrides.weight) visit(overrides.weight->since, overrides.weight->until);
  }
  for (auto& [subject, order] : state.orders.ended) {
    std::optional<WallTime> none;
    visit(order.at, none);
  }
  for (auto& [which, drain] : state.draining_removed) visit(drain.since, drain.deadline);
}

/// The epoch stands for no time.
void shift(WallTime& since, std::optional<WallTime>& end, WallTime::duration by) {
  if (since != WallTime()) since += by;
  if (end) *end += by;
}

}  // namespace

bool has_overrides(const PersistentState& state, std::string_view service) {
  const auto prefix = fmt::format("{}/", service);
  const auto found = state.orders.standing.lower_bound(prefix);
  return found != state.orders.standing.end() && found->first.starts_with(prefix);
}

const Overrides* overrides_of(const PersistentState& state, std::string_view service, std::string_view server) {
  if (state.orders.standing.empty()) return nullptr;
  const auto found = state.orders.standing.find(fmt::format("{}/{}", service, server));
  return found == state.orders.standing.end() ? nullptr : &found->second;
}

bool move_times(PersistentState& state, net::WallTime::duration by) {
  for_each_period(state, [by](WallTime& since, std::optional<WallTime>& end) { shift(since, end, by); });
  return !state.orders.standing.empty() || !state.orders.ended.empty() || !state.draining_removed.empty();
}

void clamp_future_times(PersistentState& state, WallTime now) {
  for_each_period(state, [now](WallTime& since, std::optional<WallTime>& end) {
    if (since > now) shift(since, end, now - since);
  });
}

std::string to_json(const PersistentState& state) {
  json root{{"version", version}, {"orders", json::object()}, {"owned", json::array()}, {"departures", json::array()}};
  for (const auto& [server, overrides] : state.orders.standing) root["orders"][server] = to_json(overrides);
  for (const auto& key : state.owned) root["owned"].push_back(key_to_json(key));
  root["sync"] = state.sync;
  put_shared(state.orders, root);
  for (const auto& [key, drain] : state.draining_removed) {
    json item{{"service", key_to_json(key.first)}, {"destination", to_string(key.second.endpoint)}};
    put_time(item, "since", drain.since);
    put_time(item, "deadline", drain.deadline.value_or(drain.since));
    root["departures"].push_back(std::move(item));
  }
  return root.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

net::Result<PersistentState> state_from_json(const std::string& text) {
  try {
    const json root = json::parse(text);
    const auto found = number_in(root.at("version"), INT32_MAX, "version");
    if (found < 1 || found > version) {
      return net::failure(
          fmt::format("state file version {}, this directord supports versions up to {}", found, version));
    }
    PersistentState state;
    if (found == 1) {
      for (const auto& [server, drain] : root.at("drains").items()) {
        state.orders.standing[server].drain = drain_from_json(drain);
      }
    } else {
      for (const auto& [server, overrides] : root.at("orders").items())
        state.orders.standing[server] = overrides_from_json(overrides);
    }
    for (const auto& key : root.at("owned")) state.owned.insert(key_from_json(key));
    state.sync = root.value("sync", false);
    if (root.contains("shared_orders")) get_shared(root["shared_orders"], state.orders);
    for (const auto& item : root.at("departures")) {
      const ipvs::DestinationKey destination{.endpoint = endpoint_of(item.at("destination"))};
      state.draining_removed[{key_from_json(item.at("service")), destination}] = {
          .since = get_time(item, "since"), .deadline = get_time(item, "deadline")};
    }
    return state;
  } catch (const std::exception& error) {
    return net::failure(fmt::format("damaged state file: {}", net::printable(error.what())));
  }
}

net::Result<PersistentState> load_state(const std::filesystem::path& file) {
  const auto read = net::read_file(file, size_max);
  if (!read && read.error().code == ENOENT) return PersistentState{};
  if (!read && read.error().kind == net::FileError::Kind::too_large)
    return net::failure(fmt::format("read {}: too large for a state file", file.string()));
  if (!read) return std::unexpected(net::to_error(read.error(), "read " + file.string(), size_max));
  auto state = state_from_json(read->text);
  if (!state) return net::failure(fmt::format("read {}: {}", file.string(), state.error().message));
  return state;
}

net::Result<> save_state(const std::filesystem::path& file, const PersistentState& state) {
  const std::string json = to_json(state), name = file.string() + ".new", folder = file.parent_path().string();
  enum class Step : std::uint8_t { write, replace, sync, sync_folder };
  volatile Step step = Step::write;
  // The content is durable before it replaces what is there; the replacement is only when its folder is.
  const int error = net::in_own_process(-1, [&] {
    {
      const net::Fd fd(open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
      if (!fd) return errno;
      if (const int failed = net::write_all(fd.get(), json); failed != 0) return failed;
      step = Step::sync;
      if (fsync(fd.get()) != 0) return errno;
    }
    step = Step::replace;
    if (rename(name.c_str(), file.c_str()) != 0) return errno;
    step = Step::sync_folder;
    const net::Fd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return !fd || fsync(fd.get()) != 0 ? errno : 0;
  });
  if (error == 0) return {};
  switch (step) {
    case Step::write:
      return net::system_error(error, "write " + name);
    case Step::replace:
      return net::system_error(error, "replace " + file.string());
    case Step::sync:
      return net::system_error(error, "sync " + name);
    case Step::sync_folder:
      return net::system_error(error, "sync " + folder);
  }
  return net::system_error(error, "write " + name);
}

}  // namespace director
