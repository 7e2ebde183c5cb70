#include "test/sim/cluster/mutation.h"

#include <variant>
#include <vector>

namespace cluster_sim {

namespace {

class MutatedKernel final : public ipvs::Kernel {
 public:
  MutatedKernel(ipvs::Kernel& kernel, Mutation mutation) : kernel_(kernel), mutation_(mutation) {}

  net::Result<std::vector<ipvs::Refusal>> apply(std::span<const ipvs::Op> ops) override {
    std::vector<ipvs::Op> heard;
    for (const auto& op : ops) {
      const auto* set = std::get_if<ipvs::SetDestination>(&op);
      if (mutation_ == Mutation::keeps_servers && set != nullptr && set->destination.weight == 0) continue;
      heard.push_back(op);
      if (mutation_ == Mutation::takes_services && std::holds_alternative<ipvs::RemoveDestination>(op)) take_all();
    }
    return kernel_.apply(heard);
  }
  net::Result<std::vector<ipvs::ServiceRow>> services() override { return kernel_.services(); }
  net::Result<std::optional<ipvs::ServiceRow>> service(const ipvs::ServiceKey& key) override {
    return kernel_.service(key);
  }
  net::Result<std::vector<ipvs::DestinationRow>> destinations(const ipvs::ServiceKey& key) override {
    return kernel_.destinations(key);
  }
  net::Result<std::vector<ipvs::Daemon>> daemons() override { return kernel_.daemons(); }
  net::Result<ipvs::Timeouts> timeouts() override { return kernel_.timeouts(); }
  net::Result<ipvs::Info> info() override { return kernel_.info(); }

 private:
  void take_all() {
    if (const auto rows = kernel_.services()) {
      for (const auto& row : *rows) std::ignore = kernel_.apply_one(ipvs::RemoveService{.key = row.key});
    }
  }

  ipvs::Kernel& kernel_;
  Mutation mutation_;
};

}  // namespace

const char* to_string(Mutation mutation) {
  switch (mutation) {
    case Mutation::none:
      return "none";
    case Mutation::keeps_servers:
      return "keeps servers";
    case Mutation::believes_all:
      return "believes all";
    case Mutation::hears_nothing:
      return "hears nothing";
    case Mutation::stands_still:
      return "stands still";
    case Mutation::takes_services:
      return "takes services";
  }
  return "";
}

std::unique_ptr<ipvs::Kernel> mutated(ipvs::Kernel& kernel, Mutation mutation) {
  return std::make_unique<MutatedKernel>(kernel, mutation);
}

}  // namespace cluster_sim
