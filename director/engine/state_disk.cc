#include "director/engine/state_disk.h"

#include <fmt/format.h>

#include <memory>
#include <system_error>
#include <utility>

namespace director {

net::Result<std::unique_ptr<StateDisk>> StateFile::create(net::Loop& loop, std::filesystem::path file) {
  auto thread = net::Background::create(loop);
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
  const auto shared = std::make_shared<Then>(std::move(then));
  auto work = [file = file_, state, shared]() -> net::Background::Then {
    auto saved = save_state(file, state);
    return [saved = std::move(saved), shared]() mutable { (*shared)(std::move(saved)); };
  };
  thread_->run(std::move(work), [shared, file = file_](const net::Error& error) {
    (*shared)(net::failure(fmt::format("write {}: {}", file.string(), error.message)));
  });
}

}  // namespace director
