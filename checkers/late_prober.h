#pragma once

#include <functional>
#include <memory>

#include "checkers/probe.h"

namespace checkers {

/// A prober whose making may have to wait for this host: for a file system (a CA file), for the user database. It is
/// made in a thread, once for all of its runs, when the first begins. Where that fails, each run that waits for it ends
/// as blocked with a sentence that says why, and the next one tries again.
class LateProber final : public Prober {
 public:
  using Make = std::function<net::Result<std::unique_ptr<Prober>>()>;

  /// `name` is the kind of check. `make` is called in the thread, and may outlive this.
  LateProber(std::string name, Make make);
  ~LateProber() override;
  LateProber(const LateProber&) = delete;
  LateProber& operator=(const LateProber&) = delete;

  [[nodiscard]] StartedProbe start(net::Loop& loop, const net::Endpoint& target, std::uint32_t mark,
                                   ProbeRun::OnDone on_done) const override;

 private:
  class Run;
  struct Making;
  std::string name_;
  std::shared_ptr<Making> making_;  ///< with the runs
};

}  // namespace checkers
