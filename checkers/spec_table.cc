#include "checkers/spec_table.h"

#include <utility>

#include "net/check.h"

namespace checkers {

SpecTable::Id SpecTable::intern(const Spec& spec) {
  if (const auto found = find(spec)) return *found;
  Id id;
  if (free_.empty()) {
    id = end();
    entries_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  entries_[id].key.spec = spec;
  entries_[id].prober = make_prober_(spec);
  ids_.emplace(spec, id);
  return id;
}

std::optional<SpecTable::Id> SpecTable::find(const Spec& spec) const {
  const auto found = ids_.find(spec);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

void SpecTable::remove_user(Id id) {
  net::check(has_users(id), "a spec has a user for each check of it");
  --entries_[id].users;
}

std::optional<Spec> SpecTable::release_unused(Id id) {
  if (has_users(id)) return std::nullopt;
  const auto found = ids_.find(entries_[id].key.spec);
  if (found == ids_.end() || found->second != id) return std::nullopt;
  auto gone = std::exchange(entries_[id], {}).key.spec;
  ids_.erase(found);
  free_.push_back(id);
  return gone;
}

const Key& SpecTable::key(Id id, const net::Endpoint& target, std::uint32_t mark) {
  auto& key = entries_[id].key;
  key.target = target;
  key.mark = mark;
  return key;
}

}  // namespace checkers
