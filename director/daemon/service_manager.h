#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/background.h"
#include "net/loop.h"

namespace director {

/// What the service manager is told (sd_notify(3)); without one, nothing happens. A thread tells it, since a manager
/// that hangs lets who tells it wait.
class ServiceManager {
 public:
  /// Feeds its watchdog from the loop, if it keeps one, at half its period: a loop that hangs is found out.
  /// `loop` must outlive this. Error: no descriptors left.
  static net::Result<std::unique_ptr<ServiceManager>> create(net::Loop& loop);
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  void ready(const std::string& status) { tell("READY=1\nSTATUS=" + status); }
  /// Asks for a minute, since a successor is waited for as long as an advertisement interval, 41 seconds at most; and
  /// for `before`, which comes earlier.
  void stopping(std::chrono::microseconds before);

  /// Calls `then` when all has been told, after a second at the latest. Once.
  void when_told(std::function<void()> then);

 private:
  ServiceManager(net::Loop& loop, std::unique_ptr<net::Background> thread) : loop_(loop), thread_(std::move(thread)) {}
  void notify_watchdog();
  void tell(const std::string& line);
  void tell_next();

  net::Loop& loop_;
  std::unique_ptr<net::Background> thread_;
  std::string next_;  ///< what is to be told when the thread has told what was before
  std::chrono::microseconds period_{0};
  net::Loop::Id timer_ = 0, last_timer_ = 0;
  std::function<void()> when_told_;
};

}  // namespace director
