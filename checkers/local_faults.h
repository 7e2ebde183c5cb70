#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <string>
#include <vector>

#include "checkers/result.h"
#include "net/time.h"

namespace checkers {

/// Something that this host lacks, for want of which checks cannot be run.
struct LocalFault {
  std::string what;          ///< Result::local_fault
  bool is_shortage = false;  ///< the checks keep what they found for shortage_limit; else they count as failed
  std::size_t checks = 0;    ///< whose last probe it kept from being run
  std::string example{};     ///< the sentence of the first of them
  net::Instant last{};       ///< when a check had it last
};

/// What keeps checks from being run on this host at the moment. Its size follows what a host can lack, not the checks.
class LocalFaults {
 public:
  /// Told once that one begins, and that it is over: no check has met it for `quiet`.
  using OnChange = std::move_only_function<void(const LocalFault& fault, bool begins)>;

  static constexpr net::Duration quiet = std::chrono::seconds(5);

  explicit LocalFaults(OnChange on_change) : on_change_(std::move(on_change)) {}

  /// A check whose last probe met `before` (null: none) has ended another one. What that met; null: none. Valid until
  /// the check tells its next, which it must with what it was returned here.
  LocalFault* note(LocalFault* before, const Result& result, net::Instant now);

  /// The check is gone.
  void forget(LocalFault* before, net::Instant now);

  /// Those that checks meet now, in the order in which they began.
  [[nodiscard]] std::vector<LocalFault> now() const;

 private:
  LocalFault* find_or_add(const Result& result);
  void end_quiet(net::Instant now);

  OnChange on_change_;
  std::list<LocalFault> faults_;
};

}  // namespace checkers
