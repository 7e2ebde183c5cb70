#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "config/yaml/diagnostics.h"

namespace config {

/// The first bytes of the SHA-256 over the files, each as its size (8 bytes, big-endian) and its bytes, in the order in
/// which they were read. The same bytes elsewhere have the same fingerprint.
[[nodiscard]] std::array<std::byte, 8> fingerprint(const std::vector<Source>& files);

}  // namespace config
