#pragma once

#include "config/cluster.h"
#include "net/error.h"

namespace director {

/// Puts the secrets of probes, which the cluster file only names, where the probes look for them. A file that has
/// another secret at the next reload is a change like any other. Errors: name the file, and never show what is in it.
net::Result<> read_probe_secrets(config::Cluster& cluster);

/// The same for a cluster whose files must not be opened: with the secrets that `known` has from files of the same
/// names; none for others.
void copy_probe_secrets(config::Cluster& cluster, const config::Cluster& known);

}  // namespace director
