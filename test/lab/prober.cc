// The prober: one thread, one loop, up to limit / interval requests under way at a time. They overlap, so that a
// request that meets a dead path does not hide the moment at which the path comes back.

#include <algorithm>
#include <map>

#include "net/loop.h"
#include "test/lab/client.h"
#include "test/lab/http.h"
#include "test/lab/process.h"

namespace lab {

class Prober::Run {
 public:
  Run(Prober& prober, const net::Endpoint& service, std::stop_token stop)
      : prober_(prober), service_(service), stop_(std::move(stop)), loop_(*net::Loop::create()) {}

  void go() {
    begin(net::monotonic_now());
    (void)loop_.run();
  }

 private:
  struct Request {
    net::Fd socket;
    net::Instant began;
    net::Loop::Id watch = 0, deadline = 0;
    bool sent = false;
    std::string received;
  };

  static constexpr int first_port = 1024, port_count = 32768 - first_port;

  /// Starts are due at fixed instants: a late turn does not lower the rate. What the lab missed while it stood still is
  /// not made up for: a burst that no client sends.
  void begin(net::Instant due) {
    if (stop_.stop_requested()) return loop_.stop();
    due += prober_.pulse_.stood_still(due, net::monotonic_now());
    loop_.at(due + interval, [this, due] { begin(due + interval); });

    const int id = next_++;
    const auto port = static_cast<std::uint16_t>(first_port + id % port_count);
    Request request{.socket = start_connecting(service_, port), .began = net::monotonic_now(), .received = {}};
    if (!request.socket) return prober_.record({.began = request.began, .ended = request.began, .server = {}});
    request.watch =
        loop_.watch(request.socket.get(), EPOLLIN | EPOLLOUT, [this, id](std::uint32_t) { proceed(id); }).value_or(0);
    request.deadline = loop_.at(request.began + limit, [this, id] { expire(id); });
    requests_.emplace(id, std::move(request));
  }

  /// Silence counts while the lab runs: what stood still with it is given that time again.
  void expire(int id) {
    auto& request = requests_.at(id);
    const auto now = net::monotonic_now();
    const auto due = request.began + limit + prober_.pulse_.stood_still(request.began, now);
    if (now >= due) return end(id, {});
    request.deadline = loop_.at(due, [this, id] { expire(id); });
  }

  void proceed(int id) {
    auto& request = requests_.at(id);
    if (!request.sent) {
      static const std::string text = get_request("/");
      if (send(request.socket.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0) return end(id, {});
      request.sent = true;
      (void)loop_.rewatch(request.watch, EPOLLIN);
      return;
    }
    char buffer[2048];
    const auto count = recv(request.socket.get(), buffer, sizeof buffer, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return end(id, {});
    request.received.append(buffer, static_cast<std::size_t>(count));
    if (const auto reply = parse_reply(request.received)) end(id, reply->status == 200 ? reply->body : "");
  }

  void end(int id, std::string server) {
    const auto request = requests_.extract(id);
    loop_.unwatch(request.mapped().watch);
    loop_.cancel(request.mapped().deadline);
    prober_.record({.began = request.mapped().began, .ended = net::monotonic_now(), .server = std::move(server)});
  }

  Prober& prober_;
  net::Endpoint service_;
  std::stop_token stop_;
  net::Loop loop_;
  int next_ = 0;
  std::map<int, Request> requests_;
};

Prober::Prober(const Host& client, const net::Endpoint& service)
    : thread_([this, &client, service](std::stop_token stop) {
        const Within within(client.network);
        Run(*this, service, std::move(stop)).go();
      }) {}

Prober::~Prober() = default;  // the thread is stopped and joined first: it is the last member

void Prober::record(Sample sample) {
  const std::lock_guard lock(mutex_);
  samples_.push_back(std::move(sample));
}

Prober::Outage Prober::outage(net::Instant begin, net::Instant end) const {
  const std::lock_guard lock(mutex_);
  Outage outage;
  auto last = begin;
  const auto answer = [&](net::Instant at) {
    if (at - last > outage.longest) {
      outage.longest = at - last;
      outage.over = at;
    }
    last = std::max(last, at);
  };
  for (const auto& sample : samples_) {
    if (sample.began < begin || sample.began >= end) continue;
    if (sample.server.empty()) {
      ++outage.failed;
      continue;
    }
    ++outage.answered;
    answer(sample.ended);
  }
  answer(end);  // if there was none before, the outage lasts yet
  return outage;
}

Tally Prober::tally(net::Instant begin, net::Instant end) const {
  const std::lock_guard lock(mutex_);
  Tally tally;
  for (const auto& sample : samples_) {
    if (sample.ended < begin || sample.ended >= end) continue;
    if (sample.server.empty())
      ++tally.failed;
    else
      ++tally.by_server[sample.server];
  }
  return tally;
}

bool Prober::settle(net::Duration quiet, net::Duration within) const {
  const auto called = net::monotonic_now();
  return wait_until(
             [&] {
               const auto end = net::monotonic_now() - limit;  // later requests may still be open
               if (end - quiet < called) return false;
               const auto seen = outage(end - quiet, end);
               return seen.failed == 0 && seen.answered >= quiet / interval / 2;
             },
             within)
      .has_value();
}

}  // namespace lab
