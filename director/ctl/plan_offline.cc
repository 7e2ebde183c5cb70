#include "director/ctl/plan_offline.h"

#include <nlohmann/json.hpp>

#include "director/engine/change.h"
#include "director/engine/change_json.h"
#include "director/engine/cluster_from_kernel.h"
#include "ipvs/netlink_kernel.h"
#include "net/check.h"

namespace director {
namespace {

constexpr std::string_view from_table = "what leaves is in the table that was compared";

net::Result<ipvs::Snapshot> read_table() {
  auto kernel = ipvs::NetlinkKernel::open();
  if (!kernel) return std::unexpected(kernel.error());
  return kernel->list();
}

}  // namespace

std::expected<nlohmann::ordered_json, config::Refusal> plan_offline(const std::string& file) {
  const auto modules = net::Modules::of_host();
  auto loaded = config::load(file, &modules);
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  const auto table = read_table();
  const auto known = table ? *table : ipvs::Snapshot{};
  const auto change = compare(cluster_from_kernel(known, loaded->cluster), loaded->cluster);
  auto leaving = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < change.leaving.size(); ++i) {
    const auto& [service, destination] = change.leaving[i];
    leaving.push_back(leaving_json(
        change.servers.removed[i],
        &net::must_find(net::must_find(known, service, from_table).destinations, destination, from_table)));
  }
  auto plan = to_json(change, std::move(leaving), loaded->warnings);
  plan["against"] = table ? "the kernel's table" : "an empty table: " + table.error().message;
  return plan;
}

}  // namespace director
