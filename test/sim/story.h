#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "test/sim/world.h"

namespace sim {

inline constexpr Duration tick = std::chrono::milliseconds(1);  ///< how late a timer may fire

/// One life: chaos, healing, peace, and then trials, each a single fault in a calm network, for which the RFC says
/// exactly how long the handover may take. All bounds are computed here from the RFC's formulas.
class Story {
 public:
  Story(std::uint64_t seed, const Mutation& mutation, bool trace);

  void live();
  [[nodiscard]] std::string describe() const;

 private:
  Setup make_setup();
  void suffer();
  void mishap();
  void heal();
  void settle(Duration bound, const std::string& after);
  void stay_settled();
  void trial();
  void try_clean_stop();
  void try_crash();
  void try_link_down();
  void try_return();
  void try_hand_over();
  void try_restart();
  void try_standstill();
  void try_refusal();
  void try_split();
  void try_last_resort();
  void try_fault();

  std::size_t below(std::size_t limit) { return random_() % limit; }
  bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }
  template <class T>
  T pick(std::initializer_list<T> choices) {
    return choices.begin()[below(choices.size())];
  }

  const vrrp::Config& config(std::size_t router) const { return setup_.routers[router].config; }
  void know_each_other();
  void expect_held_until_taken_over(std::size_t master, Duration bound, const std::string& after);
  [[nodiscard]] std::vector<std::size_t> able() const;
  [[nodiscard]] bool may_lead(std::size_t router, const std::vector<std::size_t>& among) const;
  [[nodiscard]] Duration longest_interval() const;
  /// Whether they advertise at one pace. Where they do not, which no cluster file can say, a late advert of one that
  /// has yielded tells the wrong pace, and its hearer may lose patience with the new master before that speaks again.
  [[nodiscard]] bool one_pace(const std::vector<std::size_t>& routers, std::size_t as) const;
  [[nodiscard]] Duration longest_skew(const std::vector<std::size_t>& among) const;
  [[nodiscard]] Duration patience(const std::vector<std::size_t>& among) const;
  void expect(bool holds, std::string_view what) const;
  [[noreturn]] void fail(const std::string& what) const;
  void expect_handover(Duration bound, const std::string& after);

  std::mt19937_64 random_;
  bool equal_intervals_ = true;
  bool acquainted_ = true;  ///< the routers know one another's priorities
  Setup setup_;
  Duration calm_delay_;
  World world_;
};

}  // namespace sim
