#pragma once

#include <optional>
#include <string>

#include "checkers/probe.h"

/// What a Conversation or an Exchange has come to with `result`, its slow work done at once.
template <class Talking>
std::optional<checkers::Result> work_done(Talking& talking, std::optional<checkers::Result> result, std::string& out) {
  while (!result) {
    auto work = talking.take_slow_work();
    if (!work) break;
    result = work()(out);
  }
  return result;
}
