#include "director/resources/systemd_units.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <utility>

namespace director {
namespace {

constexpr auto service = "org.freedesktop.systemd1";
constexpr auto manager_path = "/org/freedesktop/systemd1";
constexpr auto units_path = "/org/freedesktop/systemd1/unit";
constexpr auto manager = "org.freedesktop.systemd1.Manager";
constexpr auto properties = "org.freedesktop.DBus.Properties";
constexpr auto unit_interface = "org.freedesktop.systemd1.Unit";

/// Changes are told; this finds what was missed, as while systemd replaced itself.
constexpr std::chrono::seconds poll_pause{5};

struct Unref {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, Unref>;

/// What a method's error says; with what to do where it was not allowed.
std::string error_text(sd_bus_message* reply) {
  const sd_bus_error* error = sd_bus_message_get_error(reply);
  if (error == nullptr) return "";
  const std::string name = error->name == nullptr ? "" : error->name;
  std::string text = error->message == nullptr ? name : error->message;
  if (text.ends_with('.')) text.pop_back();
  const bool denied = name.ends_with(".AccessDenied") || name.ends_with(".InteractiveAuthorizationRequired");
  return denied ? text + "; install the rule that `directorctl polkit` writes" : text;
}

Message method_call(sd_bus* bus, const char* path, const char* interface, const char* method) {
  sd_bus_message* made = nullptr;
  if (bus == nullptr || sd_bus_message_new_method_call(bus, &made, service, path, interface, method) < 0) return {};
  return Message(made);
}

Message get_property(sd_bus* bus, const std::string& path, const char* property) {
  auto call = method_call(bus, path.c_str(), properties, "Get");
  if (call && sd_bus_message_append(call.get(), "ss", unit_interface, property) < 0) return {};
  return call;
}

std::string object_path(const std::string& unit) {
  char* path = nullptr;
  if (sd_bus_path_encode(units_path, unit.c_str(), &path) < 0) return "";
  std::string text = path;
  std::free(path);
  return text;
}

}  // namespace

SystemdUnits::SystemdUnits(net::Loop& loop, Callbacks callbacks, BusConnection::SetAddress set_address)
    : loop_(loop),
      callbacks_(std::move(callbacks)),
      bus_(loop, std::move(set_address),
           {.on_open = [this] { open(); },
            .on_lost =
                [this](const std::string& why) {
                  subscribed_ = false;
                  for (auto& [name, unit] : units_) unit = {.path = unit.path};
                  callbacks_.on_lost(why);
                }}) {
  poll_timer_ = loop_.after(poll_pause, [this] { poll(); });
}

SystemdUnits::~SystemdUnits() { loop_.cancel(poll_timer_); }

std::string SystemdUnits::problem() const {
  if (!bus_.problem().empty()) return bus_.problem();
  return subscribed_ ? "" : "systemd has not answered yet";
}

void SystemdUnits::open() {
  sd_bus* bus = bus_.get();
  const int is_client = sd_bus_is_bus_client(bus);
  // On a bus anybody may send a signal; on a connection of our own only systemd can.
  const char* sender = is_client > 0 ? service : nullptr;
  int done = is_client;
  if (done >= 0) {
    done = sd_bus_match_signal_async(bus, nullptr, sender, manager_path, manager, "JobRemoved", on_job_removed, nullptr,
                                     this);
  }
  if (done >= 0) {
    const auto rule = fmt::format(
        "type='signal',{}path_namespace='{}',interface='{}',member='PropertiesChanged',arg0='{}'",
        sender == nullptr ? "" : fmt::format("sender='{}',", sender), units_path, properties, unit_interface);
    done = sd_bus_add_match_async(bus, nullptr, rule.c_str(), on_properties_changed, nullptr, this);
  }
  if (done < 0) return bus_.fail("ask systemd for its signals: no memory left");
  send(method_call(bus, manager_path, manager, "Subscribe").get(),
       {.self = this, .on_reply = &SystemdUnits::on_subscribed});
}

void SystemdUnits::on_subscribed(const Call& /*call*/, sd_bus_message* reply) {
  if (const auto error = error_text(reply); !error.empty()) return bus_.fail("systemd does not answer: " + error);
  subscribed_ = true;
  for (const auto& [name, unit] : units_) read(name);
}

void SystemdUnits::watch(std::set<std::string> units) {
  std::erase_if(units_, [&](const auto& each) { return !units.contains(each.first); });
  for (const auto& name : units) {
    const bool is_new = units_.try_emplace(name, Unit{.path = object_path(name)}).second;
    if (is_new && subscribed_) read(name);
  }
  bus_.arm();
}

void SystemdUnits::poll() {
  poll_timer_ = loop_.after(poll_pause, [this] { poll(); });
  if (!subscribed_) return;
  for (const auto& [name, unit] : units_) {
    if (!unit.job.empty()) {
      read_job(name, unit);
    } else if (unit.request == 0) {
      read(name);
    }
  }
  bus_.arm();
}

void SystemdUnits::ask(const std::string& name, const char* method) {
  const auto unit = units_.find(name);
  if (unit == units_.end()) return;
  unit->second.request = ++last_request_;
  unit->second.job.clear();
  auto call = method_call(bus_.get(), manager_path, manager, method);
  if (call && sd_bus_message_append(call.get(), "ss", name.c_str(), "replace") < 0) call.reset();
  send(call.get(), {.self = this, .on_reply = &SystemdUnits::on_asked, .unit = name, .request = last_request_});
  bus_.arm();
}

void SystemdUnits::on_asked(const Call& call, sd_bus_message* reply) {
  const auto unit = units_.find(call.unit);
  if (unit == units_.end() || unit->second.request != call.request) return;
  if (const auto error = error_text(reply); !error.empty()) return read(call.unit, call.request, error);
  const char* job = nullptr;
  if (sd_bus_message_read(reply, "o", &job) >= 0) unit->second.job = job;
}

/// `(u id, o job, s unit, s result)`
int SystemdUnits::on_job_removed(sd_bus_message* signal, void* self, sd_bus_error* /*error*/) {
  auto& units = *static_cast<SystemdUnits*>(self);
  std::uint32_t id = 0;
  const char *job = nullptr, *name = nullptr, *result = nullptr;
  if (sd_bus_message_read(signal, "uoss", &id, &job, &name, &result) < 0) return 0;
  // By its job: the name may be another one of the unit.
  const auto unit = std::ranges::find(units.units_, std::string(job), [](const auto& each) { return each.second.job; });
  if (unit == units.units_.end()) return 0;
  const std::string how = result;
  units.read(
      unit->first, unit->second.request,
      how == "done" ? "" : fmt::format("the job's result is '{}'; `systemctl status {}` shows more", how, unit->first));
  return 0;
}

/// The values are read anew: a signal may be older than what was read last.
int SystemdUnits::on_properties_changed(sd_bus_message* signal, void* self, sd_bus_error* /*error*/) {
  auto& units = *static_cast<SystemdUnits*>(self);
  const char* path = sd_bus_message_get_path(signal);
  for (const auto& [name, unit] : units.units_) {
    if (path != nullptr && unit.path == path) units.read(name);
  }
  return 0;
}

void SystemdUnits::read(const std::string& name, std::uint64_t ended_request, const std::string& error) {
  const auto unit = units_.find(name);
  if (unit == units_.end()) return;
  send(get_property(bus_.get(), unit->second.path, "ActiveState").get(),
       {.self = this, .on_reply = &SystemdUnits::on_state, .unit = name, .request = ended_request, .error = error});
}

void SystemdUnits::on_state(const Call& call, sd_bus_message* reply) {
  const auto unit = units_.find(call.unit);
  if (unit == units_.end()) return;
  const char* word = "";
  auto state = UnitState::unknown;
  if (sd_bus_message_is_method_error(reply, nullptr) == 0 && sd_bus_message_read(reply, "v", "s", &word) >= 0)
    state = unit_state(word);
  if (call.request == 0) return callbacks_.on_state(call.unit, state);
  if (unit->second.request != call.request) return;  // another was asked for since
  unit->second = {.path = unit->second.path};
  callbacks_.on_job_end(call.unit, call.error, state);
}

void SystemdUnits::read_job(const std::string& name, const Unit& unit) {
  send(get_property(bus_.get(), unit.path, "Job").get(),
       {.self = this, .on_reply = &SystemdUnits::on_job, .unit = name, .request = unit.request});
}

/// A job that is not there any more has ended without a word.
void SystemdUnits::on_job(const Call& call, sd_bus_message* reply) {
  const auto unit = units_.find(call.unit);
  if (unit == units_.end() || unit->second.request != call.request) return;
  std::uint32_t id = 0;
  const char* job = nullptr;
  if (sd_bus_message_is_method_error(reply, nullptr) != 0) return;
  if (sd_bus_message_read(reply, "v", "(uo)", &id, &job) >= 0 && id == 0) read(call.unit, call.request);
}

int SystemdUnits::on_any_reply(sd_bus_message* reply, void* data, sd_bus_error* /*error*/) {
  const auto& call = *static_cast<const Call*>(data);
  (call.self->*call.on_reply)(call, reply);
  return 0;
}

/// `message` is null where it could not be made.
void SystemdUnits::send(sd_bus_message* message, Call call) {
  if (bus_.get() == nullptr) return;
  auto kept = std::make_unique<Call>(std::move(call));
  sd_bus_slot* slot = nullptr;
  const int sent =
      message == nullptr ? -ENOMEM : sd_bus_call_async(bus_.get(), &slot, message, on_any_reply, kept.get(), 0);
  if (sent < 0) return bus_.fail("systemd cannot be asked");
  sd_bus_slot_set_destroy_callback(slot, [](void* data) { delete static_cast<Call*>(data); });
  std::ignore = kept.release();
  sd_bus_slot_set_floating(slot, 1);
  sd_bus_slot_unref(slot);
}

}  // namespace director
