#pragma once

#include "config/cluster.h"
#include "config/schema/reader.h"
#include "config/schema/shape.h"
#include "config/yaml/document.h"

namespace config {

/// What the whole cluster file looks like: the reference and the JSON Schema are made from it.
const Shape& cluster_shape();

/// A document as a cluster, after includes, defaults and ranges are written out. What was refused is in the reader, and
/// the cluster then holds defaults in its place.
[[nodiscard]] Cluster read(const YamlNode& root, Reader& reader);

}  // namespace config
