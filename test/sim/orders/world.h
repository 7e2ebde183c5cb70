#pragma once

#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "test/sim/orders/director.h"
#include "test/sim/orders/life.h"

namespace order_sim {

/// A rule was broken.
struct Violation {
  std::string what;
};

/// Directors and the connections between them.
class World {
 public:
  World(std::uint64_t seed, Mutation mutation);

  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] std::vector<Director>& directors() { return directors_; }
  [[nodiscard]] std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }

  void start(Director& director);
  void crash(Director& director);
  /// Gives it the order that an operator wants, and remembers it.
  void order(Director& director, director::Order wanted);
  void set_link(std::size_t a, std::size_t b, bool up);
  [[nodiscard]] bool link(std::size_t a, std::size_t b) const { return links_.at({a, b}).up; }
  void set_disk(std::size_t director, bool works);
  [[nodiscard]] bool disk_works(std::size_t director) const { return !hanging_disks_.contains(director); }
  void go_on(Duration time, Duration step = std::chrono::milliseconds(10));

  /// Who can reach each other holds the same.
  void check_agreement();
  /// What was said to be done holds, or what came after it does.
  void check_nothing_lost();
  void check_all_forgotten() const;

  void note(const std::string& what) { ++outcome_.befell[what]; }
  void say(const std::string& what);
  [[nodiscard]] Outcome& outcome() { return outcome_; }

 private:
  struct Connection {
    OrderExchange::Session sessions[2]{};                       ///< of its lower and of its higher end
    std::deque<std::pair<Instant, std::string>> messages[2]{};  ///< to each, and when they arrive
  };
  struct Link {
    bool up = true;
    Instant since{};  ///< it is so
    std::optional<Connection> connection{};
    Instant next_try{};
  };
  struct Given {
    director::Order order;
    Instant at;
    std::optional<Duration> time{};  ///< of a weight
    std::size_t giver = 0;
    bool promised = false;  ///< it was answered: its giver's disk had it
  };

  void tick(Duration step);
  void move_messages(std::size_t a, std::size_t b, Link& link);
  void cut(std::size_t a, std::size_t b, Link& link);
  [[nodiscard]] std::vector<std::size_t> reachable(std::size_t from) const;
  [[nodiscard]] bool is_over(const Given& given) const;
  void compare(const Director& one, const Director& other) const;
  void check_subject(const director::OrderSubject& subject, const Director& director) const;
  [[nodiscard]] const Given* given(const director::OrderSubject& subject, const director::OrderVersion& version) const;

  std::mt19937_64 random_;
  Instant now_{std::chrono::hours(1)};
  std::vector<Director> directors_;
  std::set<std::string> names_;
  std::map<std::pair<std::size_t, std::size_t>, Link> links_;  ///< by their ends, the lower first
  std::map<std::size_t, Instant> saves_;                       ///< when the disk is done
  std::set<std::size_t> hanging_disks_;
  std::map<director::OrderSubject, std::vector<Given>> given_;
  OrderExchange::Session last_session_ = 0;
  Outcome outcome_;
};

}  // namespace order_sim
