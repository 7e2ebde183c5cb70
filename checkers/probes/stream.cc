#include "checkers/probes/stream.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "checkers/probes/socket.h"
#include "checkers/probes/work_thread.h"
#include "net/fd.h"

namespace checkers {
namespace {

/// How often a run reads before other runs do.
constexpr int reads_at_once = 8;

class StreamRun final : public ProbeRun {
 public:
  StreamRun(net::Loop& loop, const net::Endpoint& target, net::Fd socket, std::unique_ptr<Conversation> conversation,
            OnDone on_done)
      : loop_(loop),
        target_(target),
        socket_(std::move(socket)),
        conversation_(std::move(conversation)),
        on_done_(std::move(on_done)),
        work_(loop) {}

  StreamRun(const StreamRun&) = delete;
  StreamRun& operator=(const StreamRun&) = delete;
  ~StreamRun() override { loop_.forget(watch_); }

  net::Result<> start() {
    // Edge-triggered, so that one system call watches for all that a conversation waits for.
    const auto watch = loop_.watch(socket_.get(), EPOLLIN | EPOLLOUT | EPOLLET, [this](std::uint32_t events) {
      if (auto result = on_ready(events)) end(std::move(*result));
    });
    if (!watch) return std::unexpected(watch.error());
    watch_ = *watch;
    return {};
  }

  [[nodiscard]] std::string doing() const override {
    return connected_ ? conversation_->doing() : fmt::format("connect {}", to_string(target_));
  }
  [[nodiscard]] Result timed_out(net::Duration timeout) const override {
    return work_.busy() ? WorkThread::timed_out(doing(), timeout) : ProbeRun::timed_out(timeout);
  }

 private:
  void end(Result result) { std::exchange(on_done_, nullptr)(std::move(result)); }

  std::optional<Result> on_ready(std::uint32_t events) {
    if (work_.busy()) return std::nullopt;  // told again after it
    if (!connected_) {
      if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        if (const int error = connect_error(socket_); error != 0) return socket_failure(error, doing());
      }
      if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return std::nullopt;
      connected_ = true;
      if (auto result = conversation_->begin(out_)) return result;
    }
    if (auto result = write_all()) return result;
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) return read_all();
    return std::nullopt;
  }

  /// Reads until there is no more: what is left unread now would not be told of again.
  std::optional<Result> read_all() {
    for (int turn = 0; turn < reads_at_once; ++turn) {
      std::array<char, 16 * 1024> buffer;
      const auto count = recv(socket_.get(), buffer.data(), buffer.size(), 0);
      if (count == 0) {
        auto result = conversation_->closed();
        return result ? result : begin_work();
      }
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return errno == EAGAIN ? std::nullopt : std::optional(socket_failure(errno, doing()));
      const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
      if (auto result = conversation_->receive(bytes, out_)) return result;
      if (auto result = write_all()) return result;
      if (auto result = begin_work()) return result;
      if (work_.busy()) return std::nullopt;
    }
    return watch_anew();  // the others have their turn first
  }

  /// Tells of what is left.
  std::optional<Result> watch_anew() {
    if (const auto watched = loop_.rewatch(watch_, EPOLLIN | EPOLLOUT | EPOLLET); !watched) {
      return start_failure(watched.error(), doing());
    }
    return std::nullopt;
  }

  std::optional<Result> begin_work() {
    auto work = conversation_->take_slow_work();
    if (!work) return std::nullopt;
    return work_.begin(
        std::move(work), doing(),
        [this](Proceed proceed) {
          if (auto result = go_on(std::move(proceed))) end(std::move(*result));
        },
        [this](Result result) { end(std::move(result)); });
  }

  std::optional<Result> go_on(Proceed proceed) {
    if (auto result = proceed(out_)) return result;
    if (auto result = write_all()) return result;
    if (auto result = begin_work()) return result;
    return work_.busy() ? std::nullopt : watch_anew();
  }

  std::optional<Result> write_all() {
    while (!out_.empty()) {
      const auto count = send(socket_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
      if (count >= 0) {
        out_.erase(0, static_cast<std::size_t>(count));
      } else if (errno == EAGAIN) {
        break;
      } else if (errno == EPIPE || errno == ECONNRESET) {
        out_.clear();  // what the peer said before it closed is still there to be read, and is the better sentence
      } else if (errno != EINTR) {
        return socket_failure(errno, doing());
      }
    }
    return std::nullopt;
  }

  net::Loop& loop_;
  net::Endpoint target_;
  net::Fd socket_;
  std::unique_ptr<Conversation> conversation_;
  OnDone on_done_;
  net::Loop::Id watch_ = 0;
  bool connected_ = false;
  std::string out_;  ///< not yet sent
  WorkThread work_;
};

}  // namespace

StartedProbe start_stream(net::Loop& loop, const Path& path, std::uint32_t mark, const net::Endpoint& target,
                          std::unique_ptr<Conversation> conversation, ProbeRun::OnDone on_done) {
  const auto doing = [&] { return fmt::format("connect {}", to_string(target)); };
  auto socket = connect_stream(path, mark, target);
  if (!socket) return start_failure(socket.error(), doing());
  auto run = std::make_unique<StreamRun>(loop, target, std::move(*socket), std::move(conversation), std::move(on_done));
  if (const auto started = run->start(); !started) return start_failure(started.error(), doing());
  return run;
}

}  // namespace checkers
