#include "ipvs/diff.h"

#include <iterator>

namespace ipvs {

namespace {

/// The ops in the classes that are applied one after the other.
struct Plan {
  std::vector<Op> services, destinations, removed_destinations, removed_services;

  void add(const ServiceKey& key, const ServiceEntry* desired, const ServiceEntry* actual);
  std::vector<Op> join() &&;
};

void Plan::add(const ServiceKey& key, const ServiceEntry* desired, const ServiceEntry* actual) {
  static const ServiceEntry nothing;
  if (!desired) {
    if (actual) removed_services.push_back(RemoveService{key});
    return;
  }
  if (!actual) {
    services.push_back(AddService{key, desired->service});
    actual = &nothing;
  } else if (actual->service != desired->service) {
    services.push_back(SetService{key, desired->service});
  }
  // Both maps are sorted alike: one walk over the two finds every difference.
  auto want = desired->destinations.begin();
  auto have = actual->destinations.begin();
  while (want != desired->destinations.end() || have != actual->destinations.end()) {
    const bool only_wanted =
        have == actual->destinations.end() || (want != desired->destinations.end() && want->first < have->first);
    const bool only_held = !only_wanted && (want == desired->destinations.end() || have->first < want->first);
    if (only_wanted) {
      destinations.push_back(AddDestination{key, want->first, want->second});
    } else if (only_held) {
      removed_destinations.push_back(RemoveDestination{key, have->first});
    } else if (want->second != have->second) {
      destinations.push_back(SetDestination{key, want->first, want->second});
    }
    if (!only_held) ++want;
    if (!only_wanted) ++have;
  }
}

std::vector<Op> Plan::join() && {
  std::vector<Op> ops = std::move(services);
  for (auto* later : {&destinations, &removed_destinations, &removed_services}) {
    ops.insert(ops.end(), std::make_move_iterator(later->begin()), std::make_move_iterator(later->end()));
  }
  return ops;
}

}  // namespace

std::vector<Op> diff(const Table& desired, const Table& actual) {
  Plan plan;
  for (const auto& [key, entry] : desired) {
    const auto found = actual.find(key);
    plan.add(key, &entry, found == actual.end() ? nullptr : &found->second);
  }
  for (const auto& [key, entry] : actual) {
    if (!desired.contains(key)) plan.add(key, nullptr, &entry);
  }
  return std::move(plan).join();
}

std::vector<Op> diff(const ServiceKey& key, const ServiceEntry* desired, const ServiceEntry* actual) {
  Plan plan;
  plan.add(key, desired, actual);
  return std::move(plan).join();
}

}  // namespace ipvs
