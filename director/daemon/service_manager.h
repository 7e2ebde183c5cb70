#pragma once

#include <string>

#include "net/loop.h"

namespace director {

/// What the service manager is told (sd_notify(3)); without one, nothing happens.
class ServiceManager {
 public:
  /// Feeds its watchdog from the loop, if it keeps one, at half its period: a loop that hangs is found out.
  /// `loop` must outlive this.
  explicit ServiceManager(net::Loop& loop);
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  void ready(const std::string& status) const;
  void stopping() const;

 private:
  void notify_watchdog();

  net::Loop& loop_;
  std::chrono::microseconds period_{0};
  net::Loop::Id timer_ = 0;
};

}  // namespace director
