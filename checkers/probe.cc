#include "checkers/probe.h"

#include <fmt/format.h>

#include "checkers/text.h"

namespace checkers {

Result Exchange::timed_out(net::Duration timeout) const { return checkers::timed_out(doing(), timeout); }

Result ProbeRun::timed_out(net::Duration timeout) const { return checkers::timed_out(doing(), timeout); }

Result passed(std::string_view doing, std::string_view what) {
  return {.outcome = Outcome::passed, .sentence = fmt::format("{}: {}", doing, what)};
}

Result failed(std::string_view doing, std::string_view what) {
  return {.outcome = Outcome::failed, .sentence = fmt::format("{}: {}", doing, what)};
}

Result timed_out(std::string_view doing, net::Duration timeout) {
  return failed(doing, fmt::format("timed out after {}", format_duration(timeout)));
}

Result could_not_run(std::string_view doing, std::string_view why) {
  return {.outcome = Outcome::not_run, .sentence = fmt::format("{}: could not be run: {}", doing, why)};
}

}  // namespace checkers
