// Random lives of the units of one role.

#include <algorithm>
#include <array>
#include <random>

#include "resource_host.h"
#include "test/catch.h"

using namespace director_test;

namespace {

/// A host on which anything may happen, and the rules that must hold whatever does.
class Life {
 public:
  explicit Life(unsigned seed) : random_(seed), host_({unit("a", 1), unit("b", 2), unit("c", 0), unit("d", 3)}) {}

  void run(int events) {
    for (int i = 0; i < events; ++i) {
      anything();
      follow();
    }
  }

  /// The role stays as it is, and every job does what it should: it ends as wanted.
  void rest(bool leads) {
    fair_ = true;
    leads_ = leads;
    if (leads) {
      gain(host_.now);
    } else {
      step(host_.group.lose(host_.now));
    }
    for (int i = 0; i < 400; ++i) {
      for (std::size_t unit = 0; unit < size; ++unit) {
        finish(unit);
        step(host_.group.update(unit, host_.states[unit], host_.now));
      }
      const auto due = host_.group.deadline();
      host_.now = due ? std::max(host_.now, *due) : host_.now + 1s;
      step(host_.group.expire(host_.now));
      if (leads && leaving_) gain(host_.now);  // it was released, and nobody took the role
    }
    for (const auto state : host_.states) CHECK((leads ? state == active : !may_run(state)));
    CHECK(host_.group.failure().empty());
  }

 private:
  static constexpr std::size_t size = 4;

  bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }

  void anything() {
    const std::size_t unit = random_() % size;
    switch (random_() % 9) {
      case 0:
        leads_ = true;
        return gain(host_.now + std::chrono::seconds(random_() % 3));
      case 1:
        leads_ = false;
        return step(host_.group.lose(host_.now));
      case 2:
        if (!leads_) return;
        leaving_ = stopping_ = true;
        return step(host_.group.leave(host_.now));
      case 3:  // by itself, or somebody's hand
        if (jobs_[unit].empty()) host_.states[unit] = std::array{inactive, active, failed}[random_() % 3];
        return step(host_.group.update(unit, host_.states[unit], host_.now));
      case 4:
        jobs_ = {};
        return host_.group.lose_sight(host_.now);
      case 5:
        host_.now += std::chrono::milliseconds(random_() % 40000);
        return;
      default:
        return finish(unit);
    }
  }

  void gain(net::Instant from) {
    if (!stopping_ && !failing_) leaving_ = false;
    step(host_.group.gain(from, host_.now));
  }

  void follow() {
    if (const auto due = host_.group.deadline(); due && *due <= host_.now) step(host_.group.expire(host_.now));
  }

  void finish(std::size_t unit) {
    const auto job = std::exchange(jobs_[unit], "");
    if (job.empty()) return;
    const bool good = fair_ || chance(70);
    if (job == "start") {
      host_.states[unit] = good ? active : failed;
    } else if (good) {
      host_.states[unit] = inactive;
    }
    step(host_.group.end_job(unit, good ? "" : "failed", host_.states[unit], host_.now));
  }

  /// The rules.
  void step(const ResourceGroup::Actions& actions) {
    for (const auto& [kind, resource, reason] : actions) {
      const auto& all = host_.group.resources();
      if (kind == Kind::start) {
        CHECK(leads_);
        CHECK_FALSE(leaving_);
        for (std::size_t before = 0; before < resource; ++before) CHECK(all[before].state == active);
        for (std::size_t after = resource + 1; after < size; ++after)
          CHECK((!may_run(all[after].state) || all[after].stop_failed));
        jobs_[resource] = "start";
      } else if (kind == Kind::stop) {
        for (std::size_t after = resource + 1; after < size; ++after) {
          const bool timed_out = all[resource].job_by > host_.now && leads_ && !leaving_;  // a start that took too long
          CHECK((!may_run(all[after].state) || all[after].stop_failed || timed_out));
        }
        jobs_[resource] = "stop";
      } else if (kind == Kind::failed && host_.group.resources()[resource].failures > all[resource].spec.restarts) {
        leaving_ = stopping_ = failing_ = true;
      } else if (kind == Kind::released) {
        stopping_ = false;
      } else if (kind == Kind::recovered) {
        leaving_ = stopping_ = failing_ = false;
      }
    }
    CHECK(std::ranges::count(host_.group.resources(), ResourceGroup::Resource::Job::start,
                             &ResourceGroup::Resource::job) <= 1);
  }

  std::mt19937 random_;
  Host host_;
  std::array<std::string, size> jobs_;
  bool leads_ = false, leaving_ = false, stopping_ = false, failing_ = false, fair_ = false;
};

}  // namespace

TEST_CASE("whatever happens, the order holds, and in the end all run where the role is and none elsewhere") {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    INFO("seed " << seed);
    Life life(seed);
    life.run(60);
    life.rest(seed % 2 == 0);
  }
}
