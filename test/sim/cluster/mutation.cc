#include "test/sim/cluster/mutation.h"

#include <array>
#include <variant>
#include <vector>

#include "test/unit/ipvs/forwarding_kernel.h"

namespace cluster_sim {

namespace {

class MutatedKernel final : public ForwardingKernel {
 public:
  MutatedKernel(ipvs::Kernel& kernel, Mutation mutation) : ForwardingKernel(kernel), mutation_(mutation) {}

  net::Result<std::vector<ipvs::Refusal>> apply(std::span<const ipvs::Op> ops) override {
    std::vector<ipvs::Op> heard;
    for (const auto& op : ops) {
      const auto* set = std::get_if<ipvs::SetDestination>(&op);
      if (mutation_ == Mutation::keeps_servers && set != nullptr && set->destination.weight == 0) continue;
      heard.push_back(op);
      if (mutation_ == Mutation::takes_services && std::holds_alternative<ipvs::RemoveDestination>(op)) take_all();
    }
    return ForwardingKernel::apply(heard);
  }

 private:
  void take_all() {
    if (const auto rows = services()) {
      for (const auto& row : *rows)
        std::ignore = ForwardingKernel::apply(std::array<ipvs::Op, 1>{ipvs::RemoveService{.key = row.key}});
    }
  }

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
