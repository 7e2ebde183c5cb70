#include "net/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "net/check.h"

namespace net {

struct Mailbox::Shared {
  explicit Shared(Fd event) : wake(std::move(event)) {}

  const Fd wake;  ///< an eventfd
  std::mutex mutex;
  std::vector<Task> tasks;
  bool ended = false;
};

void Mailbox::Sender::post(Task task) const {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->ended) return;
  shared_->tasks.push_back(std::move(task));
  if (shared_->tasks.size() > 1) return;  // it is woken already
  const std::uint64_t one = 1;
  check(::write(shared_->wake.get(), &one, sizeof one) == sizeof one, "an eventfd accepts one more event");
}

Result<std::unique_ptr<Mailbox>> Mailbox::create(Loop& loop) {
  Fd fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!fd) return system_error(errno, "create an eventfd");
  auto shared = std::make_shared<Shared>(std::move(fd));
  std::unique_ptr<Mailbox> made(new Mailbox(loop, std::move(shared)));
  auto watch = loop.watch(made->shared_->wake.get(), EPOLLIN, [shared = made->shared_](auto) { run_all(shared); });
  if (!watch) return std::unexpected(watch.error());
  made->watch_ = *watch;
  return made;
}

Mailbox::~Mailbox() {
  loop_.unwatch(watch_);
  std::vector<Task> dropped;  // outside of the lock: what they own may post
  const std::lock_guard lock(shared_->mutex);
  shared_->ended = true;
  dropped.swap(shared_->tasks);
}

void Mailbox::run_all(const std::shared_ptr<Shared>& shared) {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(shared->mutex);
    std::uint64_t count = 0;
    if (::read(shared->wake.get(), &count, sizeof count) != sizeof count) return;
    tasks.swap(shared->tasks);
  }
  for (auto& task : tasks) task();
}

}  // namespace net
