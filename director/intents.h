#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "director/departures.h"
#include "ipvs/types.h"
#include "net/error.h"

namespace director {

/// A server that the operator took out of service: no new connections, the open ones live on.
struct Drain {
  std::chrono::system_clock::time_point since;
  std::string reason;  ///< the operator's words; may be empty

  auto operator<=>(const Drain&) const = default;
};

/// What must survive a restart of directord: the operator's words, and what it put into the kernel's table.
struct Intents {
  std::map<std::string, Drain> drains;  ///< by SERVICE/SERVER
  std::set<ipvs::ServiceKey> owned;     ///< services that this or an earlier run made or took over
  Departures departures;                ///< what left the cluster file and is still in the kernel

  auto operator<=>(const Intents&) const = default;
};

/// As text: one JSON object with a version, and back. Text of another version, or damaged, is an error that says so.
[[nodiscard]] std::string to_json(const Intents& intents);
[[nodiscard]] net::Result<Intents> intents_from_json(const std::string& text);

/// Reads the file; one that is not there yet holds no intents.
[[nodiscard]] net::Result<Intents> load_intents(const std::filesystem::path& file);

/// Replaces the file in one step: after a crash at any moment the old or the new content is there, whole.
[[nodiscard]] net::Result<> save_intents(const std::filesystem::path& file, const Intents& intents);

}  // namespace director
