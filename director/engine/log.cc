#include "director/engine/log.h"

#include <fmt/format.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "net/time_text.h"

namespace director::log {
namespace {

/// systemd says which file the journal is, since the variable is inherited further than standard error is.
bool is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat file{};
  return stream != nullptr && fstat(STDERR_FILENO, &file) == 0 &&
         stream == fmt::format("{}:{}", file.st_dev, file.st_ino);
}

/// Hands lines to the thread. (spdlog's own asynchronous logger cannot tell since when it is stalled, and ends by
/// joining its thread.)
class WriterSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit WriterSink(LogWriter& writer) : writer_(writer) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    const std::string_view line(text.data(), text.size());
    if (!terminal_) return writer_.write(line);
    const auto begin = message.color_range_start, end = message.color_range_end;
    writer_.write(fmt::format("{}{}{}\033[m{}", line.substr(0, begin), color_of(message.level),
                              line.substr(begin, end - begin), line.substr(end)));
  }
  void flush_() override {}

  static std::string_view color_of(spdlog::level::level_enum level) {
    switch (level) {
      case spdlog::level::warn:
        return "\033[33m\033[1m";
      case spdlog::level::err:
        return "\033[31m\033[1m";
      default:
        return "\033[32m";
    }
  }

  LogWriter& writer_;
  const bool terminal_ = isatty(STDERR_FILENO) != 0;
};

struct Log {
  bool journal = is_journal();
  std::shared_ptr<spdlog::logger> logger = spdlog::stderr_color_st("directord");
  std::unique_ptr<LogWriter> writer;

  Log() { set_pattern(); }
  void set_pattern() const {
    logger->set_pattern(journal ? "%v" : "%Y-%m-%dT%H:%M:%S.%eZ %^%-7l%$ %v", spdlog::pattern_time_type::utc);
  }
};

/// Never destroyed: its thread may outlive main().
Log& the_log() {
  static Log& log = *new Log;
  return log;
}

/// As the sink has it, from the thread.
std::string dropped_notice(bool journal, std::uint64_t dropped, net::WallTime since) {
  const auto now = net::timestamp(net::host_clock().wall());
  const auto text = fmt::format("log: {} line{} dropped here, the first at {}: they could not be written in time",
                                dropped, dropped == 1 ? " was" : "s were", net::timestamp(since));
  return journal ? fmt::format("<{}>{}\n", LOG_WARNING, text) : fmt::format("{} {:<7} {}\n", now, "warning", text);
}

struct Names {
  spdlog::level::level_enum spdlog;
  int syslog;
};

Names names_of(Level level) {
  switch (level) {
    case Level::info:
      return {spdlog::level::info, LOG_INFO};
    case Level::warning:
      return {spdlog::level::warn, LOG_WARNING};
    case Level::error:
      return {spdlog::level::err, LOG_ERR};
  }
  return {spdlog::level::err, LOG_ERR};
}

}  // namespace

void write(Level level, std::string_view line) {
  const Log& log = the_log();
  const auto names = names_of(level);
  if (log.journal) {
    log.logger->log(names.spdlog, "<{}>{}", names.syslog, line);
  } else {
    log.logger->log(names.spdlog, line);
  }
}

void info(std::string_view line) { write(Level::info, line); }
void error(std::string_view line) { write(Level::error, line); }

net::Result<> start_thread() {
  Log& log = the_log();
  auto writer = LogWriter::create(STDERR_FILENO, [journal = log.journal](std::uint64_t dropped, net::WallTime since) {
    return dropped_notice(journal, dropped, since);
  });
  if (!writer) return std::unexpected(writer.error());
  log.writer = std::move(*writer);
  log.logger->sinks() = {std::make_shared<WriterSink>(*log.writer)};
  log.set_pattern();
  return {};
}

void flush(net::Duration limit) {
  if (the_log().writer) std::ignore = the_log().writer->flush(limit);
}

std::optional<LogWriter::Trouble> trouble() { return the_log().writer ? the_log().writer->trouble() : std::nullopt; }

}  // namespace director::log
