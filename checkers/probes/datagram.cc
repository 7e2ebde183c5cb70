#include "checkers/probes/datagram.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "checkers/probes/socket.h"
#include "checkers/probes/work_thread.h"

namespace checkers {
namespace {

class DatagramRun final : public ProbeRun {
 public:
  DatagramRun(net::Loop& loop, net::Fd socket, std::unique_ptr<Exchange> exchange, OnDone on_done)
      : loop_(loop),
        socket_(std::move(socket)),
        exchange_(std::move(exchange)),
        on_done_(std::move(on_done)),
        work_(loop) {}
  DatagramRun(const DatagramRun&) = delete;
  DatagramRun& operator=(const DatagramRun&) = delete;
  ~DatagramRun() override { loop_.forget(watch_); }

  /// The result, where it is already over.
  std::optional<Result> start() {
    const auto question = exchange_->question();
    if (send(socket_.get(), question.data(), question.size(), MSG_NOSIGNAL) < 0) return socket_failure(errno, doing());
    const auto watch = loop_.watch(socket_.get(), EPOLLIN, [this](std::uint32_t) {
      if (auto result = read_some()) end(std::move(*result));
    });
    if (!watch) return start_failure(watch.error(), doing());
    watch_ = *watch;
    return std::nullopt;
  }

  [[nodiscard]] std::string doing() const override { return exchange_->doing(); }
  [[nodiscard]] Result timed_out(net::Duration timeout) const override {
    return work_.busy() ? WorkThread::timed_out(doing(), timeout) : exchange_->timed_out(timeout);
  }

 private:
  void end(Result result) { std::exchange(on_done_, nullptr)(std::move(result)); }

  std::optional<Result> read_some() {
    std::array<char, 16 * 1024> buffer;
    const auto count = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (count >= 0) {
      auto result = exchange_->receive({buffer.data(), static_cast<std::size_t>(count)});
      return result ? result : begin_work();
    }
    if (errno == EAGAIN || errno == EINTR) return std::nullopt;
    return socket_failure(errno, doing());
  }

  /// Meanwhile the socket is not read.
  std::optional<Result> begin_work() {
    auto work = exchange_->take_slow_work();
    if (!work) return std::nullopt;
    loop_.unwatch(std::exchange(watch_, 0));
    return work_.begin(
        std::move(work), doing(),
        [this](Proceed proceed) {
          std::string nothing;
          end(proceed(nothing).value());
        },
        [this](Result result) { end(std::move(result)); });
  }

  net::Loop& loop_;
  net::Fd socket_;
  std::unique_ptr<Exchange> exchange_;
  OnDone on_done_;
  net::Loop::Id watch_ = 0;
  WorkThread work_;
};

}  // namespace

StartedProbe start_datagram(net::Loop& loop, net::Result<net::Fd> socket, std::unique_ptr<Exchange> exchange,
                            ProbeRun::OnDone on_done) {
  if (!socket) return start_failure(socket.error(), exchange->doing());
  auto run = std::make_unique<DatagramRun>(loop, std::move(*socket), std::move(exchange), std::move(on_done));
  if (auto result = run->start()) return std::move(*result);
  return run;
}

}  // namespace checkers
