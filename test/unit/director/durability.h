#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "director/engine/state_store.h"
#include "net/loop.h"
#include "test/catch.h"

namespace director_test {

/// Waits until it is told: "" when the disk has all that was updated, else why it has not.
inline std::string told_durable(net::Loop& loop, director::StateStore& store) {
  std::optional<std::string> told;
  store.when_durable([&](const std::string& why_not) { told = why_not; });
  while (!told) REQUIRE(loop.turn(std::chrono::seconds(2)));
  return *told;
}

}  // namespace director_test
