#include "director/engine/state_store.h"

#include <fmt/format.h>

#include <utility>

#include "net/check.h"

namespace director {
namespace {

constexpr auto retry_delay = std::chrono::seconds(1);
constexpr auto in_vain = "; a restart would not know what drains now";

}  // namespace

StateStore::StateStore(net::Loop& loop, EventLog& log, std::optional<std::filesystem::path> file)
    : loop_(loop), log_(log), file_(std::move(file)) {}

StateStore::~StateStore() {
  loop_.cancel(late_timer_);
  loop_.cancel(retry_timer_);
  for (const auto& [id, waiting] : waiting_) loop_.cancel(waiting.timer);
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
  write();
}

void StateStore::when_durable(Done done) {
  if (saved_ == updates_) return done("");
  if (!unsaved_.empty()) return done(unsaved_);
  const auto id = ++last_waiting_;
  const auto timer = loop_.after(patience, [this, id] {
    auto late = waiting_.extract(id);
    late.mapped().done(too_slow());
  });
  waiting_.emplace(id, Waiting{.update = updates_, .done = std::move(done), .timer = timer});
}

/// What is changed meanwhile is written after it.
void StateStore::write() {
  loop_.cancel(std::exchange(retry_timer_, 0));
  if (disk_->busy()) return;
  late_timer_ = loop_.after(patience, [this] { fail(too_slow()); });
  disk_->run([this, file = *file_, state = state_, update = updates_]() -> Background::Then {
    auto saved = save_intents(file, state);
    if (saved) saved = sync_intents(file);
    return [this, update, saved] { written(update, saved); };
  });
}

void StateStore::written(std::uint64_t update, const net::Result<>& saved) {
  loop_.cancel(std::exchange(late_timer_, 0));
  if (!saved) {
    fail(saved.error().message + in_vain);
    retry_timer_ = loop_.after(retry_delay, [this] { write(); });
    return;
  }
  saved_ = update;
  tell(saved_, "");
  if (saved_ != updates_) return write();
  if (!std::exchange(unsaved_, "").empty()) log_.add(events::state_saved());
}

std::string StateStore::too_slow() const {
  return fmt::format("write {}: the disk does not answer{}", file_->string(), in_vain);
}

void StateStore::fail(const std::string& why) {
  if (std::exchange(unsaved_, why) != why) log_.add(events::state_error(why));
  tell(updates_, why);
}

void StateStore::tell(std::uint64_t update, const std::string& why_not) {
  while (!waiting_.empty() && waiting_.begin()->second.update <= update) {
    auto waiting = std::move(waiting_.extract(waiting_.begin()).mapped());
    loop_.cancel(waiting.timer);
    waiting.done(why_not);
  }
}

}  // namespace director
