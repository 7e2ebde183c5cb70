#include "net/background.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <cstdint>
#include <exception>
#include <system_error>
#include <thread>
#include <utility>

#include "net/check.h"

namespace net {

/// The thread's until it has signalled its end.
struct Background::Shared {
  Fd done;  ///< an eventfd
  Then then{};
  std::string why_failed{};  ///< if there is no `then`

  void signal_end() const {
    const std::uint64_t one = 1;
    check(::write(done.get(), &one, sizeof one) == sizeof one, "an eventfd accepts one more event");
  }
};

Background::Background(Loop& loop, std::shared_ptr<Shared> shared) : loop_(loop), shared_(std::move(shared)) {}

Result<std::unique_ptr<Background>> Background::create(Loop& loop) {
  Fd fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!fd) return system_error(errno, "create an eventfd");
  const int descriptor = fd.get();
  auto shared = std::make_shared<Shared>(Shared{.done = std::move(fd)});
  std::unique_ptr<Background> made(new Background(loop, std::move(shared)));
  auto watch = loop.watch(descriptor, EPOLLIN, [raw = made.get()](std::uint32_t) { raw->finished(); });
  if (!watch) return std::unexpected(watch.error());
  made->watch_ = *watch;
  return made;
}

Background::~Background() {
  stop_.request_stop();
  loop_.unwatch(watch_);
}

void Background::run(Work work, Failed failed, std::stop_source stop) {
  check(!busy_, "the thread runs one task at a time");
  busy_ = true;
  failed_ = std::move(failed);
  stop_ = std::move(stop);
  try {
    std::thread([shared = shared_, work = std::move(work)]() mutable {
      try {
        shared->then = work();
      } catch (const std::exception& error) {  // std::bad_alloc: nothing else throws as far as here
        shared->why_failed = error.what();
      }
      work = nullptr;  // before the loop goes on with what it found
      shared->signal_end();
    }).detach();
  } catch (const std::system_error& error) {
    shared_->why_failed = std::string("start a thread: ") + error.code().message();
    shared_->signal_end();
  }
}

void Background::wait(Duration limit) const {
  if (!busy_) return;
  pollfd ended{.fd = shared_->done.get(), .events = POLLIN, .revents = 0};
  poll(&ended, 1, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(limit).count()));
}

void Background::finished() {
  std::uint64_t count = 0;
  if (::read(shared_->done.get(), &count, sizeof count) != sizeof count) return;
  busy_ = false;
  auto then = std::exchange(shared_->then, nullptr);
  auto failed = std::exchange(failed_, nullptr);
  if (then) return then();
  failed({.code = 0, .message = std::exchange(shared_->why_failed, {})});
}

}  // namespace net
