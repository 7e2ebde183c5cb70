#pragma once

#include <filesystem>

#include "director/doctor/doctor.h"

namespace director {

/// Looks at this host for the doctor, and asks the directord behind `socket`. Takes half a second, since it waits for
/// who answers for the virtual addresses. What needs a privilege that is missing is told in the facts.
[[nodiscard]] HostFacts gather_facts(const config::Cluster& cluster, const config::Node& node,
                                     const std::filesystem::path& socket);

}  // namespace director
