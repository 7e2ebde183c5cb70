#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "director/engine/persistent_state.h"
#include "net/background.h"
#include "net/error.h"
#include "net/loop.h"

namespace director {

/// Where a state is kept. A seam: simulations put a disk of their own here, which fails, hangs and forgets.
class StateDisk {
 public:
  using Then = std::move_only_function<void(net::Result<>)>;

  virtual ~StateDisk() = default;

  /// For sentences: the file's name.
  [[nodiscard]] virtual std::string name() const = 0;

  /// The state that an earlier process left; an empty one if there is none. May wait for the disk: at the start alone.
  [[nodiscard]] virtual net::Result<PersistentState> load() = 0;

  /// Moves what cannot be read out of the way, and says where it is now; "" if that failed.
  virtual std::string put_aside() = 0;

  /// Puts `state` in the place of what is there, in one step, without waiting for it: `then` is told on the loop when
  /// it would outlive a loss of power, or why it may not. One at a time: not while busy().
  virtual void write(const PersistentState& state, Then then) = 0;
  [[nodiscard]] virtual bool busy() const = 0;
};

/// A file, written in a thread.
class StateFile final : public StateDisk {
 public:
  /// `loop` must outlive this. Error: no descriptors left.
  static net::Result<std::unique_ptr<StateDisk>> create(net::Loop& loop, std::filesystem::path file);

  /// Waits for the write under way, for a second at most.
  ~StateFile() override { thread_->wait(std::chrono::seconds(1)); }
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;

  [[nodiscard]] std::string name() const override { return file_.string(); }
  [[nodiscard]] net::Result<PersistentState> load() override { return load_state(file_); }
  std::string put_aside() override;
  void write(const PersistentState& state, Then then) override;
  [[nodiscard]] bool busy() const override { return thread_->busy(); }

 private:
  StateFile(std::filesystem::path file, std::unique_ptr<net::Background> thread)
      : file_(std::move(file)), thread_(std::move(thread)) {}

  std::filesystem::path file_;
  std::unique_ptr<net::Background> thread_;
};

}  // namespace director
