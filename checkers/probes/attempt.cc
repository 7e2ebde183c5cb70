#include "checkers/probes/attempt.h"

#include <map>
#include <mutex>

#include "net/check.h"

namespace checkers {
namespace {

struct GivenUp {
  std::mutex mutex;
  std::map<std::string, int> by_name;
  int all = 0;
};

/// Never destroyed: a thread may outlive main().
GivenUp& given_up() {
  static GivenUp& the = *new GivenUp;
  return the;
}

}  // namespace

Attempt::~Attempt() {
  if (!given_up_) return;
  const std::lock_guard lock(given_up().mutex);
  --given_up().all;
  auto& of_the_name = net::must_find(given_up().by_name, name_, "what was given up has been counted");
  if (--of_the_name == 0) given_up().by_name.erase(name_);
}

void Attempt::give_up() {
  given_up_ = true;
  const std::lock_guard lock(given_up().mutex);
  ++given_up().all;
  ++given_up().by_name[name_];
}

bool Attempt::too_many_of(const std::string& name) {
  const std::lock_guard lock(given_up().mutex);
  const auto found = given_up().by_name.find(name);
  return found != given_up().by_name.end() && found->second >= most_of_a_name;
}

bool Attempt::too_many() {
  const std::lock_guard lock(given_up().mutex);
  return given_up().all >= most;
}

}  // namespace checkers
