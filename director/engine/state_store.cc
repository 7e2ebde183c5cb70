#include "director/engine/state_store.h"

#include <fmt/format.h>

#include <utility>

#include "net/check.h"

namespace director {
namespace {

constexpr auto retry_delay = std::chrono::seconds(1);

}  // namespace

StateStore::StateStore(net::Loop& loop, EventLog& log, std::optional<std::filesystem::path> file)
    : loop_(loop), log_(log), file_(std::move(file)) {}

StateStore::~StateStore() {
  loop_.cancel(late_timer_);
  loop_.cancel(retry_timer_);
}

net::Result<> StateStore::open() {
  if (!file_) return {};
  auto disk = Background::create(loop_);
  if (!disk) return std::unexpected(disk.error());
  disk_ = std::move(*disk);
  auto found = load_intents(*file_);
  if (found) {
    state_ = std::move(*found);
    return {};
  }
  auto aside = *file_;
  aside += ".damaged";
  std::error_code error;
  std::filesystem::rename(*file_, aside, error);
  damaged_ = fmt::format("{}; started without it{}", found.error().message,
                         error ? "" : ", and put it aside as " + aside.string());
  log_.add(events::state_error(damaged_));
  return {};
}

void StateStore::update(const std::function<bool(Intents&)>& change) {
  if (!change(state_)) return;
  ++updates_;
  if (!file_) {
    saved_ = updates_;
    return;
  }
  net::check(disk_ != nullptr, "the state file was opened before the state changes");
  if (late_timer_ == 0) {
    late_timer_ =
        loop_.after(patience, [this] { fail(fmt::format("write {}: the disk does not answer", file_->string())); });
  }
  write();
}

void StateStore::when_durable(Done done) {
  if (saved_ == updates_) return done("");
  if (!unsaved_.empty()) return done(unsaved_);
  waiting_.push_back(std::move(done));
}

/// What is changed meanwhile is written after it.
void StateStore::write() {
  loop_.cancel(std::exchange(retry_timer_, 0));
  if (disk_->busy()) return;
  disk_->run([this, file = *file_, state = state_, update = updates_]() -> Background::Then {
    auto saved = save_intents(file, state);
    if (saved) saved = sync_intents(file);
    return [this, update, saved] { written(update, saved); };
  });
}

void StateStore::written(std::uint64_t update, const net::Result<>& saved) {
  if (!saved) {
    fail(saved.error().message);
    retry_timer_ = loop_.after(retry_delay, [this] { write(); });
    return;
  }
  saved_ = update;
  if (saved_ != updates_) return write();
  loop_.cancel(std::exchange(late_timer_, 0));
  if (!std::exchange(unsaved_, "").empty()) log_.add(events::state_saved());
  tell("");
}

void StateStore::fail(const std::string& why) {
  const auto sentence = why + "; a restart would not know what drains now";
  if (std::exchange(unsaved_, sentence) != sentence) log_.add(events::state_error(sentence));
  tell(sentence);
}

void StateStore::tell(const std::string& why_not) {
  for (auto& done : std::exchange(waiting_, {})) done(why_not);
}

}  // namespace director
