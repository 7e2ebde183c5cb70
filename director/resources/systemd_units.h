#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "director/resources/bus_connection.h"
#include "director/resources/service_units.h"

namespace director {

/// systemd's units, over D-Bus (org.freedesktop.systemd1(5)): StartUnit and StopUnit, whose ends systemd tells with
/// JobRemoved; a state is read when it changes, and every few seconds.
class SystemdUnits : public ServiceUnits {
 public:
  /// `loop` must outlive this.
  SystemdUnits(net::Loop& loop, Callbacks callbacks, BusConnection::SetAddress set_address = set_system_bus);
  ~SystemdUnits() override;

  void watch(std::set<std::string> units) override;
  void start(const std::string& unit) override { ask(unit, "StartUnit"); }
  void stop(const std::string& unit) override { ask(unit, "StopUnit"); }
  [[nodiscard]] std::string problem() const override;

 private:
  struct Unit {
    std::string path;           ///< its object's
    std::uint64_t request = 0;  ///< the last one; 0: none is under way
    std::string job{};          ///< the object of its job, once systemd has answered
  };
  struct Call;
  using OnReply = void (SystemdUnits::*)(const Call& call, sd_bus_message* reply);
  struct Call {
    SystemdUnits* self;
    OnReply on_reply;
    std::string unit{};
    std::uint64_t request = 0;
    std::string error{};  ///< of a job that has ended
  };

  void open();
  void on_subscribed(const Call& call, sd_bus_message* reply);
  void ask(const std::string& name, const char* method);
  void on_asked(const Call& call, sd_bus_message* reply);
  void read(const std::string& name, std::uint64_t ended_request = 0, const std::string& error = {});
  void on_state(const Call& call, sd_bus_message* reply);
  void read_job(const std::string& name, const Unit& unit);
  void on_job(const Call& call, sd_bus_message* reply);
  void poll();
  static int on_job_removed(sd_bus_message* signal, void* self, sd_bus_error* error);
  static int on_properties_changed(sd_bus_message* signal, void* self, sd_bus_error* error);
  static int on_any_reply(sd_bus_message* reply, void* call, sd_bus_error* error);
  void send(sd_bus_message* message, Call call);

  net::Loop& loop_;
  Callbacks callbacks_;
  std::map<std::string, Unit> units_;
  std::uint64_t last_request_ = 0;
  bool subscribed_ = false;
  net::Loop::Id poll_timer_ = 0;
  BusConnection bus_;  ///< the last: its end calls nobody
};

}  // namespace director
