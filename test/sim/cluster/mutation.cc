#include "test/sim/cluster/mutation.h"

#include <array>
#include <map>
#include <utility>
#include <variant>
#include <vector>

#include "test/unit/ipvs/forwarding_kernel.h"
#include "test/unit/net/forwarding_host.h"

namespace cluster_sim {

namespace {

using enum Mutation;

constexpr auto all = std::to_array<std::pair<Mutation, const char*>>({
    {keeps_servers, "keeps servers"},
    {takes_services, "takes services"},
    {removes_nothing, "removes nothing"},
    {adds_nothing, "adds nothing"},
    {weighs_wrong, "weighs wrong"},
    {cuts_drains, "cuts drains"},
    {flushes, "flushes"},
    {does_half, "does half"},
    {sees_nothing, "sees nothing"},
    {starts_no_daemons, "starts no daemons"},
    {believes_all, "believes all"},
    {believes_none, "believes none"},
    {waits_for_ever, "waits for ever"},
    {hears_late, "hears late"},
    {hears_nothing, "hears nothing"},
    {hears_slowly, "hears slowly"},
    {stands_still, "stands still"},
    {keeps_addresses, "keeps addresses"},
    {takes_no_address, "takes no address"},
    {never_expires, "never expires"},
    {misses_links, "misses links"},
    {sets_nothing, "sets nothing"},
    {forgets_state, "forgets state"},
    {writes_nothing, "writes nothing"},
    {syncs_nothing, "syncs nothing"},
    {ignores_orders, "ignores orders"},
    {reads_old_files, "reads old files"},
    {drains_for_ever, "drains for ever"},
    {shares_nothing, "shares nothing"},
    {reports_nothing, "reports nothing"},
    {sees_every_gateway, "sees every gateway"},
    {has_other_keys, "has other keys"},
    {believes_strangers, "believes strangers"},
    {stops_to_be_replaced, "stops to be replaced"},
});

class MutatedKernel final : public ForwardingKernel {
 public:
  MutatedKernel(ipvs::Kernel& kernel, Mutation mutation) : ForwardingKernel(kernel), mutation_(mutation) {}

  net::Result<std::vector<ipvs::RefusedOp>> apply(std::span<const ipvs::Op> ops) override {
    std::vector<ipvs::Op> heard;
    for (const auto& op : mutation_ == does_half ? ops.first((ops.size() + 1) / 2) : ops) hear(op, heard);
    seen_.clear();
    return ForwardingKernel::apply(heard);
  }

  net::Result<std::vector<ipvs::DestinationRow>> destinations(const ipvs::ServiceKey& key) override {
    if (mutation_ != sees_nothing) return ForwardingKernel::destinations(key);
    const auto seen = seen_.find(key);
    if (seen != seen_.end()) return seen->second;
    auto rows = ForwardingKernel::destinations(key);
    if (rows) seen_[key] = *rows;
    return rows;
  }

 private:
  void hear(const ipvs::Op& op, std::vector<ipvs::Op>& heard) {
    const auto* set = std::get_if<ipvs::SetDestination>(&op);
    const auto* add = std::get_if<ipvs::AddDestination>(&op);
    const bool removes = std::holds_alternative<ipvs::RemoveDestination>(op);
    if (mutation_ == keeps_servers && set != nullptr && set->destination.weight == 0) return;
    if (mutation_ == starts_no_daemons && std::holds_alternative<ipvs::StartDaemon>(op)) return;
    if ((mutation_ == removes_nothing && removes) || (mutation_ == adds_nothing && add != nullptr)) return;
    if (mutation_ == cuts_drains && set != nullptr && set->destination.weight == 0) {
      heard.emplace_back(ipvs::RemoveDestination{.service = set->service, .key = set->key});
      return;
    }
    heard.push_back(op);
    if (mutation_ == weighs_wrong) {
      if (auto* wrong = std::get_if<ipvs::SetDestination>(&heard.back())) ++wrong->destination.weight;
      if (auto* wrong = std::get_if<ipvs::AddDestination>(&heard.back())) ++wrong->destination.weight;
    }
    if (mutation_ == takes_services && removes) take_all();
  }

  void take_all() {
    if (const auto rows = services()) {
      for (const auto& row : *rows)
        std::ignore = ForwardingKernel::apply(std::array<ipvs::Op, 1>{ipvs::RemoveService{.key = row.key}});
    }
  }

  Mutation mutation_;
  std::map<ipvs::ServiceKey, std::vector<ipvs::DestinationRow>> seen_;
};

class MutatedHost final : public ForwardingHost {
 public:
  MutatedHost(net::Host& host, Mutation mutation) : ForwardingHost(host), mutation_(mutation) {}

  net::Result<> drop_address(int interface, const net::Prefix& prefix) override {
    return mutation_ == keeps_addresses ? net::Result<>() : ForwardingHost::drop_address(interface, prefix);
  }
  net::Result<> lease_address(const net::Leases::Request& request, std::chrono::seconds lease) override {
    if (mutation_ == takes_no_address) return {};
    return ForwardingHost::lease_address(request, mutation_ == never_expires ? std::chrono::days(1) : lease);
  }
  net::Result<> write_setting(const std::string& name, const std::string& value) override {
    return mutation_ == sets_nothing ? net::Result<>() : ForwardingHost::write_setting(name, value);
  }
  net::Result<std::unique_ptr<net::Links>> follow_links(net::Loop& loop, net::Links::OnChange on_change) override {
    if (mutation_ == misses_links) on_change = [](const std::string&) {};
    return ForwardingHost::follow_links(loop, std::move(on_change));
  }

 private:
  Mutation mutation_;
};

}  // namespace

std::span<const Mutation> mutations() {
  static const auto list = [] {
    std::vector<Mutation> found;
    for (const auto& [mutation, name] : all) found.push_back(mutation);
    return found;
  }();
  return list;
}

const char* to_string(Mutation mutation) {
  for (const auto& [known, name] : all) {
    if (known == mutation) return name;
  }
  return "none";
}

std::unique_ptr<ipvs::Kernel> mutated(ipvs::Kernel& kernel, Mutation mutation) {
  return std::make_unique<MutatedKernel>(kernel, mutation);
}

std::unique_ptr<net::Host> mutated(net::Host& host, Mutation mutation) {
  return std::make_unique<MutatedHost>(host, mutation);
}

}  // namespace cluster_sim
