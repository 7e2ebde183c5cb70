#include "checkers/local_faults.h"

#include <algorithm>

#include "net/check.h"

namespace checkers {

LocalFault* LocalFaults::note(LocalFault* before, const Result& result, net::Instant now) {
  if (result.suppressed) return before;  // it says nothing
  LocalFault* fault = result.local_fault.empty() ? nullptr : find_or_add(result);
  if (fault != nullptr) {
    ++fault->checks;
    fault->last = now;
  }
  forget(before, now);
  return fault;
}

void LocalFaults::forget(LocalFault* before, net::Instant now) {
  if (before != nullptr) {
    net::check(before->checks > 0, "a check that leaves a fault of this host has been counted in it");
    --before->checks;
  }
  if (!faults_.empty()) end_quiet(now);
}

LocalFault* LocalFaults::find_or_add(const Result& result) {
  const auto known = std::ranges::find(faults_, result.local_fault, &LocalFault::what);
  if (known != faults_.end()) return &*known;
  auto& begun = faults_.emplace_back(LocalFault{
      .what = result.local_fault, .is_shortage = result.outcome == Outcome::not_run, .example = result.sentence});
  if (on_change_) on_change_(begun, true);
  return &begun;
}

void LocalFaults::end_quiet(net::Instant now) {
  for (auto fault = faults_.begin(); fault != faults_.end();) {
    if (fault->checks > 0 || now - fault->last < quiet) {
      ++fault;
      continue;
    }
    if (on_change_) on_change_(*fault, false);
    fault = faults_.erase(fault);
  }
}

std::vector<LocalFault> LocalFaults::now() const {
  std::vector<LocalFault> all;
  std::ranges::copy_if(faults_, std::back_inserter(all), [](const LocalFault& fault) { return fault.checks > 0; });
  return all;
}

}  // namespace checkers
