#include "director/engine/kernel_table.h"

#include "ipvs/diff.h"

namespace director {

net::Result<> KernelTable::read() {
  auto snapshot = kernel_.list();
  if (!snapshot) return std::unexpected(snapshot.error());
  table_ = ipvs::table_of(*snapshot);
  doubtful_.clear();
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
  doubtful_.erase(key);
  const auto known = table_.extract(key);
  if (*status) table_.merge(ipvs::table_of({{key, **status}}));
  const auto held = table_.find(key);
  if (known.empty() || held == table_.end()) return known.empty() != (held == table_.end());
  return known.mapped() != held->second;
}

net::Result<bool> KernelTable::refresh(const ipvs::ServiceKey& key) {
  if (!doubtful_.contains(key)) return false;
  return read(key);
}

KernelTable::Outcome KernelTable::make(std::span<const Wish> wishes) {
  Outcome outcome;
  std::vector<ipvs::Op> ops;
  std::vector<const Wish*> wish_of;  // for each op
  for (const auto& wish : wishes) {
    if (auto read = refresh(wish.key); !read) {
      outcome.unsettled.emplace(wish.key, read.error().message);
      continue;
    }
    const auto held = table_.find(wish.key);
    const auto needed =
        ipvs::diff(wish.key, wish.entry ? &*wish.entry : nullptr, held == table_.end() ? nullptr : &held->second);
    ops.insert(ops.end(), needed.begin(), needed.end());
    wish_of.resize(ops.size(), &wish);
  }
  if (ops.empty()) return outcome;

  const auto refusals = kernel_.apply(ops);
  if (!refusals) {
    for (const auto* wish : wish_of) outcome.unsettled.emplace(wish->key, refusals.error().message);
  } else {
    auto refusal = refusals->begin();
    for (std::size_t i = 0; i < ops.size(); ++i) {
      if (refusal == refusals->end() || refusal->index != i) {
        outcome.done.push_back(ops[i]);
        continue;
      }
      outcome.unsettled.emplace(wish_of[i]->key, refusal->error.message);  // the first: the others follow from it
      ++refusal;
    }
  }
  for (const auto* wish : wish_of) {
    if (outcome.unsettled.contains(wish->key)) {
      doubtful_.insert(wish->key);
    } else if (wish->entry) {
      table_[wish->key] = *wish->entry;
    } else {
      table_.erase(wish->key);
    }
  }
  return outcome;
}

}  // namespace director
