#pragma once

#include <filesystem>

#include "config/cluster.h"
#include "net/error.h"

namespace director {

/// What a directord needs of its host besides a valid cluster file, and does not get by trying again: an administrator
/// has to give it. None of it is left changed.
struct StartCheck {
  std::filesystem::path runtime_dir;
  std::filesystem::path state_dir;
  bool dry_run = false;  ///< it saves nothing, runs no virtual routers, and leaves the kernel alone

  /// Once the privileges are dropped: whether the state can be saved, and the files with keys and passwords of the
  /// virtual routers be read.
  [[nodiscard]] net::Result<> check_files(const config::Cluster& cluster, const config::Node& node) const;

  /// Before this program replaces a directord that runs: all of it, with the privileges that are left. The groups of
  /// the sockets, the folders, the files that the cluster file names, the kernel's table.
  [[nodiscard]] net::Result<> check_replacement(config::Cluster cluster, const config::Node& node) const;
};

}  // namespace director
