#include "checkers/late_prober.h"

#include <fmt/format.h>

#include <cerrno>
#include <set>
#include <utility>
#include <vector>

#include "checkers/text.h"
#include "net/background.h"

namespace checkers {

/// On the loop. It holds the runs that wait, and each run leaves it when it ends.
struct LateProber::Making {
  Make make;
  std::unique_ptr<Prober> made{};
  std::unique_ptr<net::Background> thread{};
  std::set<Run*> waiting{};

  void end(const net::Result<>& made_well);
};

class LateProber::Run final : public ProbeRun {
 public:
  Run(net::Loop& loop, std::shared_ptr<Making> making, std::string doing, const net::Endpoint& target,
      std::uint32_t mark, OnDone on_done)
      : loop_(loop),
        making_(std::move(making)),
        doing_(std::move(doing)),
        target_(target),
        mark_(mark),
        on_done_(std::move(on_done)) {
    making_->waiting.insert(this);
  }
  ~Run() override { making_->waiting.erase(this); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  void go_on(const net::Result<>& made_well) {
    if (!made_well) return end(could_not_run(doing_, made_well.error().message, made_well.error().code));
    auto started = making_->made->start(loop_, target_, mark_, [this](Result result) { end(std::move(result)); });
    if (auto* result = std::get_if<Result>(&started)) return end(std::move(*result));
    run_ = std::move(std::get<std::unique_ptr<ProbeRun>>(started));
  }

  [[nodiscard]] std::string doing() const override { return run_ ? run_->doing() : doing_; }
  [[nodiscard]] Result timed_out(net::Duration timeout) const override {
    if (run_) return run_->timed_out(timeout);
    return could_not_run(
        doing_,
        fmt::format("this host's file system or user database has not answered for {}", format_duration(timeout)), 0);
  }

 private:
  void end(Result result) { std::exchange(on_done_, nullptr)(std::move(result)); }

  net::Loop& loop_;
  std::shared_ptr<Making> making_;
  std::string doing_;
  net::Endpoint target_;
  std::uint32_t mark_;
  OnDone on_done_;
  std::unique_ptr<ProbeRun> run_;  ///< what it has become
};

void LateProber::Making::end(const net::Result<>& made_well) {
  for (auto* run : std::vector(waiting.begin(), waiting.end())) {
    if (waiting.erase(run) == 1) run->go_on(made_well);  // else the one before has ended it
  }
}

LateProber::LateProber(std::string name, Make make)
    : name_(std::move(name)), making_(std::make_shared<Making>(Making{.make = std::move(make)})) {}

LateProber::~LateProber() = default;

StartedProbe LateProber::start(net::Loop& loop, const net::Endpoint& target, std::uint32_t mark,
                               ProbeRun::OnDone on_done) const {
  if (making_->made) return making_->made->start(loop, target, mark, std::move(on_done));
  auto doing = fmt::format("{} {}", name_, to_string(target));
  if (!making_->thread) {
    auto thread = net::Background::create(loop);
    if (!thread) return could_not_run(doing, thread.error().message, thread.error().code);
    making_->thread = std::move(*thread);
  }
  auto run = std::make_unique<Run>(loop, making_, std::move(doing), target, mark, std::move(on_done));
  if (making_->thread->busy()) return run;
  making_->thread->run(
      [make = making_->make, weak = std::weak_ptr(making_)]() -> net::Background::Then {
        return [weak, made = make()]() mutable {
          const auto making = weak.lock();
          if (made) making->made = std::move(*made);
          making->end(made ? net::Result<>() : std::unexpected(made.error()));
        };
      },
      [weak = std::weak_ptr(making_)](const net::Error& error) {
        weak.lock()->end(std::unexpected(net::Error{.code = EAGAIN, .message = error.message}));
      });
  return run;
}

}  // namespace checkers
