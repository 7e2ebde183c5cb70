#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "checkers/probe.h"
#include "checkers/spec.h"
#include "net/endpoint.h"

namespace checkers {

/// Every distinct spec once, with the prober that is made of it, as long as a check uses it.
class SpecTable {
 public:
  using Id = std::uint32_t;  ///< used anew after release_unused()

  explicit SpecTable(MakeProber make_prober) : make_prober_(std::move(make_prober)) {}

  /// The id of `spec`, which is added if it is new.
  Id intern(const Spec& spec);
  [[nodiscard]] std::optional<Id> find(const Spec& spec) const;

  void add_user(Id id) { ++entries_[id].users; }
  void remove_user(Id id);
  [[nodiscard]] bool has_users(Id id) const { return entries_[id].users > 0; }

  /// Forgets a spec that no check uses, and returns it; nothing if it is used, or was forgotten before.
  std::optional<Spec> release_unused(Id id);

  [[nodiscard]] const Spec& spec(Id id) const { return entries_[id].key.spec; }
  [[nodiscard]] const Prober& prober(Id id) const { return *entries_[id].prober; }

  /// The key of a check of this spec. Valid until the next call for the same spec: it is filled in, not copied.
  const Key& key(Id id, const net::Endpoint& target, std::uint32_t mark);

  /// Ids are below this.
  [[nodiscard]] Id end() const { return static_cast<Id>(entries_.size()); }

 private:
  struct Entry {
    Key key;
    std::unique_ptr<Prober> prober;
    std::size_t users = 0;
  };

  MakeProber make_prober_;
  std::map<Spec, Id> ids_;
  std::vector<Entry> entries_;
  std::vector<Id> free_;
};

}  // namespace checkers
