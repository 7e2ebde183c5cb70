#pragma once

#include "vrrp/machine.h"

/// Words and states that the tests of the machine begin with: a router of priority 100 with adverts every second.
namespace machine {

using namespace std::chrono_literals;
using vrrp::Action;
using vrrp::Config;
using vrrp::Expired;
using vrrp::Heard;
using vrrp::Instant;
using vrrp::Machine;
using vrrp::RouterState;
using vrrp::Shutdown;
using vrrp::Startup;
using Actions = std::vector<Action>;

inline const Instant t0 = Instant{} + 1h;
inline const Config config{.priority = 100, .advertisement_interval = 1s, .preempt_mode = true};
inline constexpr auto skew = 156 * 1'000'000us / 256;

inline Heard heard(int priority, vrrp::Duration interval = 1s) {
  return {.priority = static_cast<std::uint8_t>(priority), .max_advertise_interval = interval};
}

inline Machine backup() { return step(config, {}, Startup{}, t0).next; }
inline Machine master() { return step(config, backup(), Expired{}, t0).next; }

}  // namespace machine
