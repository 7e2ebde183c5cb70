#include "director/engine/background.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <cstdint>
#include <exception>
#include <system_error>
#include <utility>

#include "net/check.h"

namespace director {

net::Result<std::unique_ptr<Background>> Background::create(net::Loop& loop) {
  net::Fd fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!fd) return net::system_error(errno, "create an eventfd");
  const int descriptor = fd.get();
  std::unique_ptr<Background> made(new Background(loop, std::move(fd)));
  auto watch = loop.watch(descriptor, EPOLLIN, [raw = made.get()](std::uint32_t) { raw->finished(); });
  if (!watch) return std::unexpected(watch.error());
  made->watch_ = *watch;
  return made;
}

Background::~Background() {
  if (thread_.joinable()) thread_.join();
  loop_.unwatch(watch_);
}

void Background::run(Work work, Failed failed) {
  net::check(!busy_, "the thread runs one task at a time");
  busy_ = true;
  failed_ = std::move(failed);
  try {
    thread_ = std::jthread([this, work = std::move(work)]() mutable {
      try {
        then_ = work();
      } catch (const std::exception& error) {  // std::bad_alloc: nothing else throws as far as here
        why_failed_ = error.what();
      }
      signal_end();
    });
  } catch (const std::system_error& error) {
    why_failed_ = std::string("start a thread: ") + error.code().message();
    signal_end();
  }
}

void Background::signal_end() const {
  const std::uint64_t one = 1;
  net::check(::write(done_.get(), &one, sizeof one) == sizeof one, "an eventfd accepts one more event");
}

void Background::finished() {
  std::uint64_t count = 0;
  if (::read(done_.get(), &count, sizeof count) != sizeof count) return;
  if (thread_.joinable()) thread_.join();
  busy_ = false;
  auto then = std::exchange(then_, nullptr);
  auto failed = std::exchange(failed_, nullptr);
  if (then) return then();
  failed({.code = 0, .message = std::exchange(why_failed_, {})});
}

}  // namespace director
