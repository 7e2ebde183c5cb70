#include "checkers/probes/http_run.h"

#include <fmt/format.h>

#include <utility>

#include "checkers/probes/stream.h"

namespace checkers {
namespace {

class HttpRun final : public ProbeRun {
 public:
  HttpRun(net::Loop& loop, const Path& path, std::uint32_t mark, const HttpPlan& plan, const TlsContext& tls,
          OnDone on_done)
      : loop_(loop), path_(path), mark_(mark), plan_(plan), tls_(tls), on_done_(std::move(on_done)) {}

  /// The result, where it is already over.
  std::optional<Result> ask(Request request) {
    next_.reset();
    const auto target = request.target;
    const bool secured = request.tls;
    std::unique_ptr<Conversation> conversation = std::make_unique<HttpConversation>(std::move(request), plan_, &next_);
    if (secured) conversation = tls_.wrap(target, std::move(conversation), mark_);
    auto started = start_stream(loop_, path_, mark_, target, std::move(conversation),
                                [this](Result result) { on_hop_done(std::move(result)); });
    if (auto* result = std::get_if<Result>(&started)) return std::move(*result);
    hop_ = std::move(std::get<std::unique_ptr<ProbeRun>>(started));
    return std::nullopt;
  }

  [[nodiscard]] std::string doing() const override { return hop_->doing(); }
  [[nodiscard]] Result timed_out(net::Duration timeout) const override { return hop_->timed_out(timeout); }

 private:
  void on_hop_done(Result result) {
    std::optional<Result> over = std::move(result);
    if (next_ && followed_ == plan_.spec.follow) {
      over = failed(hop_->doing(), fmt::format("redirected more than {} times", followed_));
    } else if (next_) {
      ++followed_;
      const auto before = std::move(hop_);
      over = ask(*std::exchange(next_, std::nullopt));
    }
    if (over) std::exchange(on_done_, nullptr)(std::move(*over));  // the last act: this may be gone now
  }

  net::Loop& loop_;
  const Path& path_;
  std::uint32_t mark_;
  const HttpPlan& plan_;
  const TlsContext& tls_;
  OnDone on_done_;
  std::unique_ptr<ProbeRun> hop_;
  std::optional<Request> next_;  ///< where the hop was redirected to
  int followed_ = 0;
};

}  // namespace

StartedProbe start_http(net::Loop& loop, const Path& path, std::uint32_t mark, const net::Endpoint& target,
                        const HttpPlan& plan, const TlsContext& tls, ProbeRun::OnDone on_done) {
  auto run = std::make_unique<HttpRun>(loop, path, mark, plan, tls, std::move(on_done));
  if (auto result = run->ask(plan.first(target))) return std::move(*result);
  return run;
}

}  // namespace checkers
