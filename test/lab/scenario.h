#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "test/lab/client.h"
#include "test/lab/pair.h"

namespace lab {

/// One expectation of the scenario: what was expected, from theory or from the cluster file, and what was seen.
struct Row {
  std::string step;  ///< its title, as the audience was told
  std::string what;
  std::string expected;
  std::string measured;
  bool holds = false;
};

/// Who looks on while the scenario is played.
class Audience {
 public:
  virtual ~Audience() = default;

  /// The stage is set; both live until the curtain. `prober` may be watched from another thread, and of `pair` what is
  /// const there.
  virtual void raise_curtain(const Pair& pair, const Prober& prober) = 0;
  virtual void drop_curtain() = 0;

  virtual void step(std::string_view title) = 0;
  virtual void row(const Row& row) = 0;
  /// The state of things at a row that does not hold.
  virtual void evidence(std::string_view text) = 0;
};

/// The reference scenario, played in this process's namespaces: balancing, a server's death, a drain, and a director's
/// crash, loss of link and clean stop. Every row is told to the audience at once; all are returned. It ends early where
/// nothing that follows could hold.
std::vector<Row> play(const Pair::Options& options, Audience& audience);

}  // namespace lab
