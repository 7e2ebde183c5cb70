#include "checkers/probes/work_thread.h"

#include <fmt/format.h>

#include <cerrno>
#include <semaphore>
#include <utility>

#include "checkers/text.h"

namespace checkers {
namespace {

using Places = std::counting_semaphore<WorkThread::at_a_time>;

/// Never destroyed: a thread may outlive main().
Places& places() {
  static Places& the = *new Places(WorkThread::at_a_time);
  return the;
}

class Place {
 public:
  Place() { places().acquire(); }
  ~Place() { places().release(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
};

}  // namespace

std::optional<Result> WorkThread::begin(SlowWork work, const std::string& doing, OnDone on_done, OnFailed on_failed) {
  if (!thread_) {
    auto thread = net::Background::create(loop_);
    if (!thread) return could_not_run(doing, thread.error().message, thread.error().code);
    thread_ = std::move(*thread);
  }
  const std::stop_source stop;
  thread_->run(
      [work = std::move(work), on_done = std::move(on_done),
       abandoned = stop.get_token()]() mutable -> net::Background::Then {
        const Place place;
        if (abandoned.stop_requested()) return [] {};
        return [on_done = std::move(on_done), proceed = work()]() mutable { on_done(std::move(proceed)); };
      },
      [doing, on_failed = std::move(on_failed)](const net::Error& error) mutable {
        on_failed(could_not_run(doing, error.message, EAGAIN));
      },
      stop);
  return std::nullopt;
}

Result WorkThread::timed_out(const std::string& doing, net::Duration timeout) {
  return could_not_run(doing,
                       fmt::format("its answer has not been searched for the regular expression within {}, for want of "
                                   "processor time",
                                   format_duration(timeout)),
                       EAGAIN);
}

}  // namespace checkers
