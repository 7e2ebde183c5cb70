#pragma once

#include "config/yaml/diagnostics.h"
#include "config/yaml/document.h"

namespace config {

/// Writes out the servers that a range stands for: `web(1-3): { address: 10.0.0.(11-13) }` is web1 to web3 with
/// 10.0.0.11 to .13. A range counts in decimal, padded with zeros when its first number is; those of one server must be
/// equally long. What has no range stays as it is; of a bad range, which is reported, one server is left.
void expand_ranges(YamlNode& root, Document& document, Diagnostics& diagnostics);

}  // namespace config
