#include "director/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

namespace director::log {
namespace {

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = spdlog::stderr_color_st("directord");
    made->set_pattern(std::getenv("JOURNAL_STREAM") != nullptr ? "%v" : "%Y-%m-%d %H:%M:%S.%e %^%-7l%$ %v");
    return made;
  }();
  return *instance;
}

}  // namespace

void info(std::string_view line) { logger().info(line); }
void warning(std::string_view line) { logger().warn(line); }
void error(std::string_view line) { logger().error(line); }

}  // namespace director::log
