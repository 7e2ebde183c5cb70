#pragma once

#include <span>
#include <unordered_map>
#include <vector>

#include "checkers/spec.h"
#include "director/engine/cluster_in_force.h"

namespace director {

/// Which servers use each check: one check for all that have the same settings and target.
class CheckUsers {
 public:
  void add(const checkers::Key& key, const ServerKey& user);

  /// Takes back one add() of the same.
  void remove(const checkers::Key& key, const ServerKey& user);

  void clear();

  [[nodiscard]] std::span<const ServerKey> of(const checkers::Key& key) const;

  struct Difference {
    std::vector<checkers::Key> gone;   ///< had users, and have none any more
    std::vector<checkers::Key> added;  ///< had none, and have some now
  };
  /// Since the last time that this was asked, or clear(). Costs what was changed, not what there is.
  [[nodiscard]] Difference difference();

 private:
  struct Users {
    std::vector<ServerKey> servers;
    bool known = false;  ///< had users when the difference was last asked for
  };

  std::unordered_map<checkers::Key, Users, checkers::KeyHash> users_;
  std::vector<checkers::Key> changed_;
};

}  // namespace director
