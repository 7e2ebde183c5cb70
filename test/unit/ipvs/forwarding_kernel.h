#pragma once

#include "ipvs/kernel.h"

/// Another kernel, to which everything is handed on: for tests that stand between it and whoever asks.
class ForwardingKernel : public ipvs::Kernel {
 public:
  /// `behind` must outlive this.
  explicit ForwardingKernel(ipvs::Kernel& behind) : behind_(behind) {}

  net::Result<std::vector<ipvs::RefusedOp>> apply(std::span<const ipvs::Op> ops) override { return behind_.apply(ops); }
  net::Result<std::vector<ipvs::ServiceRow>> services() override { return behind_.services(); }
  net::Result<std::optional<ipvs::ServiceRow>> service(const ipvs::ServiceKey& key) override {
    return behind_.service(key);
  }
  net::Result<std::vector<ipvs::DestinationRow>> destinations(const ipvs::ServiceKey& key) override {
    return behind_.destinations(key);
  }
  net::Result<std::vector<ipvs::Daemon>> daemons() override { return behind_.daemons(); }
  net::Result<ipvs::Timeouts> timeouts() override { return behind_.timeouts(); }
  net::Result<ipvs::Info> info() override { return behind_.info(); }
  net::Result<> reopen() override { return behind_.reopen(); }

 private:
  ipvs::Kernel& behind_;
};
