#include "director/engine/kernel_table.h"

#include "ipvs/diff.h"

namespace director {

net::Result<> KernelTable::read() {
  auto snapshot = kernel_.list();
  if (!snapshot) return std::unexpected(snapshot.error());
  table_ = ipvs::table_of(*snapshot);
  stale_.clear();
  return {};
}

const ipvs::ServiceEntry& KernelTable::actual(const ipvs::ServiceKey& key) const {
  static const ipvs::ServiceEntry none;
  const auto found = table_.find(key);
  return found == table_.end() ? none : found->second;
}

net::Result<bool> KernelTable::read(const ipvs::ServiceKey& key) {
  auto status = kernel_.list(key);
  if (!status) return std::unexpected(status.error());
  stale_.erase(key);
  const auto known = table_.extract(key);
  if (*status) table_.merge(ipvs::table_of({{key, **status}}));
  const auto held = table_.find(key);
  if (known.empty() || held == table_.end()) return known.empty() != (held == table_.end());
  return known.mapped() != held->second;
}

net::Result<bool> KernelTable::refresh(const ipvs::ServiceKey& key) {
  if (!stale_.contains(key)) return false;
  return read(key);
}

KernelTable::Outcome KernelTable::apply(std::span<const Desired> desired) {
  Outcome outcome;
  std::vector<ipvs::Op> ops;
  std::vector<const Desired*> service_of;  // for each op
  for (const auto& service : desired) {
    if (auto read = refresh(service.key); !read) {
      outcome.failed.emplace(service.key, read.error().message);
      continue;
    }
    const auto held = table_.find(service.key);
    const auto needed = ipvs::diff(service.key, service.entry ? &*service.entry : nullptr,
                                   held == table_.end() ? nullptr : &held->second);
    ops.insert(ops.end(), needed.begin(), needed.end());
    service_of.resize(ops.size(), &service);
  }
  if (ops.empty()) return outcome;

  const auto refusals = kernel_.apply(ops);
  if (!refusals) {
    for (const auto* service : service_of) outcome.failed.emplace(service->key, refusals.error().message);
  } else {
    auto refusal = refusals->begin();
    for (std::size_t i = 0; i < ops.size(); ++i) {
      if (refusal == refusals->end() || refusal->index != i) {
        outcome.done.push_back(ops[i]);
        continue;
      }
      outcome.failed.emplace(service_of[i]->key, refusal->error.message);  // the first: the others follow from it
      ++refusal;
    }
  }
  for (const auto* service : service_of) {
    if (outcome.failed.contains(service->key)) {
      stale_.insert(service->key);
    } else if (service->entry) {
      table_[service->key] = *service->entry;
    } else {
      table_.erase(service->key);
    }
  }
  return outcome;
}

}  // namespace director
