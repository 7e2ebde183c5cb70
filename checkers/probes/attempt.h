#pragma once

#include <string>

namespace checkers {

/// Something of this host that may never end (reading a file, starting or killing a program), shared by who waits for
/// it and by who does it. What was given up counts, by its name and in all, until the last of both has let go of it: so
/// that a file system that hangs does not collect threads without bound.
class Attempt {
 public:
  static constexpr int most_of_a_name = 4;
  static constexpr int most = 100;

  explicit Attempt(std::string name) : name_(std::move(name)) {}
  ~Attempt();
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  /// By who waited for it, at most once, before it lets go.
  void give_up();

  /// Whether so many have been given up that there should be no further one.
  [[nodiscard]] static bool too_many_of(const std::string& name);
  [[nodiscard]] static bool too_many();

 private:
  const std::string name_;
  bool given_up_ = false;
};

}  // namespace checkers
