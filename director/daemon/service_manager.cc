#include "director/daemon/service_manager.h"

#include <systemd/sd-daemon.h>

#include <cstdint>

namespace director {

ServiceManager::ServiceManager(net::Loop& loop) : loop_(loop) {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) return;
  period_ = std::chrono::microseconds(microseconds);
  notify_watchdog();
}

ServiceManager::~ServiceManager() { loop_.cancel(timer_); }

void ServiceManager::notify_watchdog() {
  sd_notify(0, "WATCHDOG=1");
  timer_ = loop_.after(period_ / 2, [this] { notify_watchdog(); });
}

void ServiceManager::ready(const std::string& status) const { sd_notify(0, ("READY=1\nSTATUS=" + status).c_str()); }

void ServiceManager::stopping() const { sd_notify(0, "STOPPING=1"); }

}  // namespace director
