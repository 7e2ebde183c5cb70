#include "director/daemon/start_check.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "director/control/socket_groups.h"
#include "director/engine/node_config.h"
#include "director/engine/probe_secrets.h"
#include "ipvs/netlink_kernel.h"

namespace director {
namespace {

/// Of who runs with what is left of the privileges: root without CAP_DAC_OVERRIDE may not write everywhere.
net::Result<> can_write_to(const std::filesystem::path& path) {
  if (access(path.c_str(), W_OK) == 0) return {};
  return net::system_error(errno, fmt::format("write to {} (it must belong to the user of directord)", path.string()));
}

net::Result<> can_read_table() {
  auto kernel = ipvs::NetlinkKernel::open();
  if (!kernel) return std::unexpected(kernel.error());
  if (const auto table = kernel->list(); !table) return std::unexpected(table.error());
  return {};
}

}  // namespace

net::Result<> StartCheck::check_files(const config::Cluster& cluster, const config::Node& node) const {
  if (dry_run) return {};
  if (auto writable = can_write_to(state_dir); !writable) return writable;
  if (const auto specs = router_specs(cluster, node); !specs) return std::unexpected(specs.error());
  if (const auto keys = read_peer_keys(cluster); !keys) return std::unexpected(keys.error());
  return {};
}

net::Result<> StartCheck::check_replacement(config::Cluster cluster, const config::Node& node) const {
  for (const auto& path : {runtime_dir, runtime_dir / "directord.pid"}) {
    if (auto writable = can_write_to(path); !writable) return writable;
  }
  const auto groups = find_groups(cluster.director);
  if (!groups) return std::unexpected(groups.error());
  if (auto tried = try_groups(runtime_dir, *groups); !tried) return tried;
  if (auto secrets = read_probe_secrets(cluster); !secrets) return secrets;
  if (auto files = check_files(cluster, node); !files) return files;
  if (dry_run) return {};
  // Version 0.1.0 gives its capabilities to the program that replaces it, and not to this check.
  if (auto table = can_read_table(); !table && table.error().code != EPERM) return table;
  return {};
}

}  // namespace director
