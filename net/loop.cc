#include "net/loop.h"

#include <sys/signalfd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "net/check.h"

namespace net {
namespace {

using std::chrono::ceil;
using std::chrono::milliseconds;

Instant round_up(Instant due) { return Instant(ceil<milliseconds>(due.time_since_epoch())); }

}  // namespace

Result<Loop> Loop::create(Clock& clock) {
  Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return system_error(errno, "create the event loop");
  return Loop(clock, std::move(epoll));
}

Result<Loop::Id> Loop::watch(int fd, std::uint32_t events, OnReady on_ready) {
  const Id id = next_id_++;
  epoll_event event{.events = events, .data = {.u64 = id}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return system_error(errno, "watch a descriptor");
  watches_.emplace(id, Watch{.fd = fd, .on_ready = std::move(on_ready)});
  return id;
}

Result<> Loop::rewatch(Id id, std::uint32_t events) {
  const auto found = watches_.find(id);
  if (found == watches_.end()) return failure("rewatch: no such watch");
  epoll_event event{.events = events, .data = {.u64 = id}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, found->second.fd, &event) != 0) {
    return system_error(errno, "rewatch a descriptor");
  }
  return {};
}

void Loop::unwatch(Id id) {
  const auto found = watches_.find(id);
  if (found == watches_.end()) return;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second.fd, nullptr);
  watches_.erase(found);
}

Loop::Id Loop::at(Instant due, OnDue on_due) {
  const Id id = next_id_++;
  timers_.emplace(id, std::move(on_due));
  heap_.push_back({.due = round_up(due), .id = id});
  std::ranges::push_heap(heap_, std::greater{});
  return id;
}

Result<> Loop::on_signals(std::initializer_list<int> signals, OnSignal on_signal) {
  check(!signals_, "signals are asked for once");
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  if (const int error = pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    return system_error(error, "block signals");
  }
  signals_ = Fd(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!signals_) return system_error(errno, "receive signals");
  const auto id =
      watch(signals_.get(), EPOLLIN, [fd = signals_.get(), act = std::move(on_signal)](std::uint32_t) mutable {
        signalfd_siginfo info;
        while (read(fd, &info, sizeof info) == sizeof info) act(static_cast<int>(info.ssi_signo));
      });
  if (!id) return std::unexpected(id.error());
  return {};
}

Result<> Loop::run() {
  running_ = true;
  while (running_) {
    if (auto turned = turn(std::chrono::hours(1)); !turned) return turned;
  }
  return {};
}

Result<> Loop::turn(Duration limit) {
  auto until = clock_->now() + limit;
  if (const auto due = next_due()) until = std::min(until, *due);
  const int count = clock_->wait(epoll_.get(), ready_, until);
  if (count < 0 && errno != EINTR) return system_error(errno, "wait for events");
  now_ = clock_->now();
  dispatch_ready(count);
  // More events than one call can carry are all collected before any deadline is acted on.
  for (int more = count; more == static_cast<int>(ready_.size());) {
    more = epoll_wait(epoll_.get(), ready_.data(), static_cast<int>(ready_.size()), 0);
    dispatch_ready(more);
    if (clock_->now() - now_ > std::chrono::milliseconds(100)) break;  // a level-triggered flood must not starve timers
  }
  expire_deadlines();
  return {};
}

std::optional<Instant> Loop::next_due() {
  while (!heap_.empty() && !timers_.contains(heap_.front().id)) {
    std::ranges::pop_heap(heap_, std::greater{});
    heap_.pop_back();
  }
  return heap_.empty() ? std::nullopt : std::optional(heap_.front().due);
}

void Loop::dispatch_ready(int count) {
  for (int i = 0; i < count; ++i) {
    const auto& event = ready_[static_cast<std::size_t>(i)];
    const auto found = watches_.find(event.data.u64);
    if (found == watches_.end()) continue;
    // The handler may unwatch itself: it is taken out of the map for the call and put back if its watch is still there.
    auto on_ready = std::move(found->second.on_ready);
    on_ready(event.events);
    if (const auto still = watches_.find(event.data.u64); still != watches_.end()) {
      still->second.on_ready = std::move(on_ready);
    }
  }
}

void Loop::expire_deadlines() {
  // Timers set by these handlers wait for the next turn, even if already due: I/O comes first.
  const Id newest = next_id_;
  std::vector<Deadline> later;
  while (!heap_.empty() && heap_.front().due <= now_) {
    std::ranges::pop_heap(heap_, std::greater{});
    const Deadline deadline = heap_.back();
    heap_.pop_back();
    if (deadline.id >= newest) {
      later.push_back(deadline);
      continue;
    }
    const auto found = timers_.find(deadline.id);
    if (found == timers_.end()) continue;
    auto on_due = std::move(found->second);
    timers_.erase(found);
    on_due();
  }
  for (const auto& deadline : later) {
    heap_.push_back(deadline);
    std::ranges::push_heap(heap_, std::greater{});
  }
}

}  // namespace net
