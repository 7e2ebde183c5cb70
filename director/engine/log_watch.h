#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "director/engine/event_log.h"
#include "director/engine/log_writer.h"
#include "net/loop.h"

namespace director {

/// Asks each second whether the log's lines get out: an event when they no longer do and when they do again, and a
/// problem between.
class LogWatch {
 public:
  using Trouble = std::optional<LogWriter::Trouble>;

  /// `loop` and `log` must outlive this. `ask` returns why lines do not get out at the moment.
  LogWatch(net::Loop& loop, EventLog& log, std::function<Trouble()> ask)
      : loop_(loop), log_(log), ask_(std::move(ask)) {}
  ~LogWatch() { loop_.cancel(timer_); }
  LogWatch(const LogWatch&) = delete;
  LogWatch& operator=(const LogWatch&) = delete;

  void start() {
    timer_ = loop_.after(std::chrono::seconds(1), [this] { start(); });
    const bool before = trouble_.has_value();
    trouble_ = ask_();
    if (trouble_.has_value() == before) return;
    log_.add(trouble_ ? events::log_stalled(problem()) : events::log_written());
  }

  /// A sentence; "" while there is none.
  [[nodiscard]] std::string problem() const { return trouble_ ? events::log_problem(*trouble_) : ""; }

 private:
  net::Loop& loop_;
  EventLog& log_;
  std::function<Trouble()> ask_;
  Trouble trouble_;
  net::Loop::Id timer_ = 0;
};

}  // namespace director
