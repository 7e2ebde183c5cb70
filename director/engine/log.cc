#include "director/engine/log.h"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <cstdlib>

namespace director::log {
namespace {

/// systemd says which file the journal is, since the variable is inherited further than standard error is.
bool is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat file{};
  return stream != nullptr && fstat(STDERR_FILENO, &file) == 0 &&
         stream == fmt::format("{}:{}", file.st_dev, file.st_ino);
}

struct Log {
  bool journal = is_journal();
  std::shared_ptr<spdlog::logger> logger = spdlog::stderr_color_st("directord");

  Log() { logger->set_pattern(journal ? "%v" : "%Y-%m-%dT%H:%M:%S.%eZ %^%-7l%$ %v", spdlog::pattern_time_type::utc); }
};

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
  static Log log;
  const auto names = names_of(level);
  if (log.journal) {
    log.logger->log(names.spdlog, "<{}>{}", names.syslog, line);
  } else {
    log.logger->log(names.spdlog, line);
  }
}

void info(std::string_view line) { write(Level::info, line); }
void error(std::string_view line) { write(Level::error, line); }

}  // namespace director::log
