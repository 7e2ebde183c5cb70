#pragma once

#include <functional>
#include <memory>

#include "net/error.h"
#include "net/loop.h"

namespace net {

/// What other threads hand to a loop to do.
class Mailbox {
  struct Shared;

 public:
  using Task = std::move_only_function<void()>;

  /// The way to a mailbox; copies may be used by any thread, also after the mailbox has ended.
  class Sender {
   public:
    /// `task` runs on the loop, after what was posted before it; where the mailbox has ended it is dropped, in the
    /// thread that calls.
    void post(Task task) const;

   private:
    friend Mailbox;
    explicit Sender(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
    std::shared_ptr<Shared> shared_;
  };

  /// `loop` must outlive this. Error: no descriptors left.
  static Result<std::unique_ptr<Mailbox>> create(Loop& loop);

  /// What was posted and not done is dropped. In the loop's thread, or when that has ended.
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  [[nodiscard]] Sender sender() const { return Sender(shared_); }

 private:
  Mailbox(Loop& loop, std::shared_ptr<Shared> shared) : loop_(loop), shared_(std::move(shared)) {}
  static void run_all(const std::shared_ptr<Shared>& shared);

  Loop& loop_;
  std::shared_ptr<Shared> shared_;
  Loop::Id watch_ = 0;
};

}  // namespace net
