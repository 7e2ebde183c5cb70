#pragma once

#include <cstddef>
#include <expected>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "config/cluster.h"
#include "config/reload_cache.h"
#include "config/yaml/diagnostics.h"
#include "net/modules.h"

namespace config {

/// A cluster file that was accepted.
struct Loaded {
  Cluster cluster;
  std::vector<Diagnostic> warnings;
  std::vector<std::string> files;  ///< that were read: the file itself, then what it includes
  std::size_t services_read = 0;   ///< those whose text was not known
  ReloadCache cache;               ///< for reload()
};

/// All that is wrong, errors and warnings, in the order of the file; at least one is an error.
using Refusal = std::vector<Diagnostic>;

/// Reads, checks and validates a cluster file. Looks at nothing of this host but the file and what it includes; with
/// the `modules` of the kernel that it is for, warns of schedulers that this kernel does not have. The time and the
/// memory that this takes are bounded, whatever the file has; after a request to `stop` it ends soon, with an error.
[[nodiscard]] std::expected<Loaded, Refusal> load(const std::string& path, const net::Modules* modules = nullptr,
                                                  std::stop_token stop = {});

/// The same, when most of it is as it was: `cache` is of an earlier Loaded, and `before` its services. What is new is
/// read, and all rules are applied to the whole. (The limits on what ranges and aliases expand to apply to what is
/// read.)
[[nodiscard]] std::expected<Loaded, Refusal> reload(const std::string& path, const ReloadCache& cache,
                                                    const std::vector<Service>& before,
                                                    const net::Modules* modules = nullptr, std::stop_token stop = {});

/// The same for a file and what it includes, already in memory: the first of `files`, at least one, is the cluster
/// file. Looks at no file of this host.
[[nodiscard]] std::expected<Loaded, Refusal> load_files(std::vector<Source> files,
                                                        const net::Modules* modules = nullptr,
                                                        std::stop_token stop = {});

/// The same for text that is already in memory; `name` stands for the file in messages. Takes any bytes. Reads no file:
/// an `include` is an error.
[[nodiscard]] std::expected<Loaded, Refusal> load_text(std::string name, std::string text,
                                                       const net::Modules* modules = nullptr,
                                                       std::stop_token stop = {});

}  // namespace config
