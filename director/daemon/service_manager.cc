#include "director/daemon/service_manager.h"

#include <systemd/sd-daemon.h>

#include <cstdint>
#include <utility>

namespace director {

net::Result<std::unique_ptr<ServiceManager>> ServiceManager::create(net::Loop& loop) {
  auto thread = net::Background::create(loop);
  if (!thread) return std::unexpected(thread.error());
  std::unique_ptr<ServiceManager> made(new ServiceManager(loop, std::move(*thread)));
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) > 0) {
    made->period_ = std::chrono::microseconds(microseconds);
    made->notify_watchdog();
  }
  return made;
}

ServiceManager::~ServiceManager() {
  loop_.cancel(timer_);
  loop_.cancel(last_timer_);
}

void ServiceManager::notify_watchdog() {
  if (next_.empty()) tell("WATCHDOG=1");
  timer_ = loop_.after(period_ / 2, [this] { notify_watchdog(); });
}

void ServiceManager::tell(const std::string& line) {
  next_ += line + "\n";
  if (!thread_->busy()) tell_next();
}

void ServiceManager::stopping(std::chrono::microseconds before) {
  tell("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + std::to_string((before + std::chrono::minutes(1)).count()));
}

void ServiceManager::when_told(std::function<void()> then) {
  if (!thread_->busy()) return then();
  when_told_ = std::move(then);
  last_timer_ = loop_.after(std::chrono::seconds(1), [this] { std::exchange(when_told_, nullptr)(); });
}

void ServiceManager::tell_next() {
  if (next_.empty()) {
    if (when_told_) {
      loop_.cancel(last_timer_);
      std::exchange(when_told_, nullptr)();
    }
    return;
  }
  thread_->run(
      [this, text = std::exchange(next_, {})]() -> net::Background::Then {
        sd_notify(0, text.c_str());
        return [this] { tell_next(); };
      },
      [this](const net::Error&) { tell_next(); });
}

}  // namespace director
