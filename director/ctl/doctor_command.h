#pragma once

#include <string>

namespace director {

struct DoctorCommand {
  std::string file;  ///< the cluster file
  std::string node;  ///< its name there; empty: the host name
  std::string socket;
  bool as_json = false;
};

/// `directorctl doctor`: examines this host and prints the findings. Needs no daemon; that none runs is a finding.
/// Returns the exit status.
int doctor_command(const DoctorCommand& command);

}  // namespace director
