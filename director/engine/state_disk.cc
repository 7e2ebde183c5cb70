#include "director/engine/state_disk.h"

#include <system_error>
#include <utility>

namespace director {

net::Result<std::unique_ptr<StateDisk>> StateFile::create(net::Loop& loop, std::filesystem::path file) {
  auto thread = Background::create(loop);
  if (!thread) return std::unexpected(thread.error());
  return std::unique_ptr<StateDisk>(new StateFile(std::move(file), std::move(*thread)));
}

std::string StateFile::put_aside() {
  auto aside = file_;
  aside += ".damaged";
  std::error_code error;
  std::filesystem::rename(file_, aside, error);
  return error ? "" : aside.string();
}

void StateFile::write(const PersistentState& state, Then then) {
  thread_->run([file = file_, state, then = std::move(then)]() mutable -> Background::Then {
    auto saved = save_state(file, state);
    if (saved) saved = sync_state(file);
    return [saved = std::move(saved), then = std::move(then)]() mutable { then(std::move(saved)); };
  });
}

}  // namespace director
