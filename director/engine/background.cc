#include "director/engine/background.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <cstdint>

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

void Background::run(Work work) {
  net::check(!busy_, "the thread runs one task at a time");
  busy_ = true;
  thread_ = std::jthread([this, work = std::move(work)]() mutable {
    then_ = work();
    const std::uint64_t one = 1;
    net::check(::write(done_.get(), &one, sizeof one) == sizeof one, "an eventfd accepts one more event");
  });
}

void Background::finished() {
  std::uint64_t count = 0;
  if (::read(done_.get(), &count, sizeof count) != sizeof count) return;
  thread_.join();
  busy_ = false;
  auto then = std::move(then_);
  then();
}

}  // namespace director
