#pragma once

#include "config/cluster.h"
#include "config/document.h"
#include "config/reader.h"
#include "config/type.h"

namespace config {

/// The whole cluster file's type: what the reference and the JSON Schema describe.
const Type<Cluster>& cluster_type();

/// A document as a cluster. What was refused is in the reader, and the cluster then holds defaults in its place.
[[nodiscard]] Cluster read(const YamlNode& root, Reader& reader);

}  // namespace config
