#pragma once

#include <systemd/sd-bus.h>

#include <functional>
#include <memory>
#include <string>

#include "net/error.h"
#include "net/loop.h"

namespace director {

/// A connection with a D-Bus daemon, or with the service manager itself, on the loop. While it is lost it is made anew
/// each second. Nothing here waits: calls are sent and their replies are handled as they come.
class BusConnection {
 public:
  /// Says where a new connection leads, before it is started; a negative errno if it cannot.
  using SetAddress = std::function<int(sd_bus* bus)>;
  struct Callbacks {
    std::function<void()> on_open;  ///< calls may be made; replies show whether somebody is there
    std::function<void(const std::string& why)> on_lost;
  };

  /// `loop` must outlive this. Opens in the next turn.
  BusConnection(net::Loop& loop, SetAddress set_address, Callbacks callbacks);
  ~BusConnection();
  BusConnection(const BusConnection&) = delete;
  BusConnection& operator=(const BusConnection&) = delete;

  /// Of this moment; null while it is lost.
  [[nodiscard]] sd_bus* get() const { return bus_.get(); }
  /// After calls were made from outside its callbacks.
  void arm();
  /// Ends the connection and makes a new one in a second; may be called from within its callbacks.
  void fail(const std::string& why);
  /// Why there is none; empty while there is one.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  struct Close {
    void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
  };

  void open();
  void process();
  void lose();

  net::Loop& loop_;
  SetAddress set_address_;
  Callbacks callbacks_;
  std::unique_ptr<sd_bus, Close> bus_;
  int fd_ = -1;
  net::Loop::Id watch_ = 0, timer_ = 0;
  std::string problem_ = "not connected yet";
};

/// The system bus of this host; for root where there is none, systemd's own socket.
int set_system_bus(sd_bus* bus);

}  // namespace director
