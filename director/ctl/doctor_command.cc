#include "director/ctl/doctor_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "config/load.h"
#include "director/ctl/exit_status.h"
#include "director/doctor/doctor_text.h"
#include "director/doctor/host_facts.h"
#include "director/usage/host_name.h"

namespace director {

int doctor_command(const DoctorCommand& command) {
  const auto loaded = config::load(command.file);
  if (!loaded) {
    fmt::print(stderr, "{}", config::to_string(loaded.error()));
    return usage;
  }
  const auto node = config::this_node(loaded->cluster, command.node, host_name());
  if (!node) {
    fmt::print(stderr, "directorctl: {}: {}\n", command.file, node.error().message);
    return usage;
  }
  const auto findings = examine(loaded->cluster, *node, gather_facts(loaded->cluster, *node, command.socket));
  if (command.as_json) {
    fmt::print("{}\n", to_json(findings).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("{}", findings_text(findings, isatty(STDOUT_FILENO) != 0));
  }
  return has_errors(findings) ? refused : done;
}

}  // namespace director
