#include "checkers/probe.h"

#include <fmt/format.h>

#include <cerrno>

#include "checkers/text.h"

namespace checkers {
namespace {

/// Whether what this host lacks comes back by itself when others need less of it.
bool is_shortage(int error) {
  switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:
    case EADDRINUSE:
    case EAGAIN:
      return true;
    default:
      return false;
  }
}

}  // namespace

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

Result could_not_run(std::string_view doing, std::string_view why, int error, std::string_view fault) {
  return {.outcome = is_shortage(error) ? Outcome::not_run : Outcome::blocked,
          .sentence = fmt::format("{}: could not be run: {}", doing, why),
          .local_fault = std::string(fault.empty() ? why : fault)};
}

}  // namespace checkers
