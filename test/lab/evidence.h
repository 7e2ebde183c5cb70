#pragma once

#include <string>
#include <vector>

#include "test/lab/process.h"
#include "test/lab/topology.h"

namespace lab {

/// What a person needs to understand a failed expectation, as text: of each host its addresses, neighbours and IPVS
/// table, and the last lines of each log.
std::string evidence(const Topology& topology, const std::vector<std::filesystem::path>& logs);

/// Where results, logs and pcaps go: LAB_OUT (the lab's --out), or a temporary folder.
std::filesystem::path output_folder();

}  // namespace lab
