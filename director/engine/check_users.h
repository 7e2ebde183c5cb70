#pragma once

#include <cstddef>
#include <span>
#include <unordered_map>
#include <vector>

#include "checkers/spec.h"

namespace director {

/// A server by its place in the cluster file.
struct ServerId {
  std::size_t service = 0;
  std::size_t server = 0;
  auto operator<=>(const ServerId&) const = default;
};

/// For which servers each check speaks: one check for all that ask the same of the same target.
class CheckUsers {
 public:
  void add(const checkers::Key& key, ServerId user);

  /// Takes back one add() of the same.
  void remove(const checkers::Key& key, ServerId user);

  void clear();

  [[nodiscard]] std::span<const ServerId> of(const checkers::Key& key) const;

  struct Difference {
    std::vector<checkers::Key> gone;   ///< had users, and have none any more
    std::vector<checkers::Key> added;  ///< had none, and have some now
  };
  /// Since the last time that this was asked, or clear(). Costs what was changed, not what there is.
  [[nodiscard]] Difference difference();

 private:
  struct Users {
    std::vector<ServerId> servers;
    bool known = false;  ///< had users when the difference was last asked for
  };

  std::unordered_map<checkers::Key, Users, checkers::KeyHash> users_;
  std::vector<checkers::Key> touched_;
};

}  // namespace director
