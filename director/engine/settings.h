#pragma once

#include <string>
#include <vector>

#include "config/cluster.h"

/// What a cluster file says of one thing, flat: keys of the file, each with its value as text, so that what differs
/// between two files can be told key by key. Pure.
namespace director {

struct KeyValue {
  std::string key;      ///< what is nested is joined by dots: "quorum.below", "check.http.path"
  std::string value;    ///< empty: not given
  bool secret = false;  ///< `value` is never to be shown
};
using KeyValues = std::vector<KeyValue>;

[[nodiscard]] KeyValues settings_of(const config::Server& server);
[[nodiscard]] KeyValues settings_of(const config::Service& service);  ///< but its servers
[[nodiscard]] KeyValues settings_of(const config::VirtualRouter& router);

/// Of the file's sections; what is only a value has the key "".
[[nodiscard]] KeyValues settings_of(const std::vector<config::Node>& nodes);
[[nodiscard]] KeyValues settings_of(const std::vector<std::vector<std::string>>& groups);
[[nodiscard]] KeyValues settings_of(const std::optional<config::ConnectionSync>& sync);
[[nodiscard]] KeyValues settings_of(const config::Director& director);
[[nodiscard]] KeyValues settings_of(const config::Peers& peers);
[[nodiscard]] KeyValues settings_of(const config::ProbeMarks& marks);
[[nodiscard]] KeyValues settings_of(bool value);
[[nodiscard]] KeyValues settings_of(const std::string& value);

/// Of a check, under `key`, which itself has the probe's kind as its value.
void add_check(KeyValues& settings, const std::string& key, const checkers::Spec& check);

/// "eth0" where all nodes have the same, else one setting for each node.
void add_interfaces(KeyValues& settings, const std::string& key, const std::map<std::string, std::string>& interfaces);

struct Difference {
  std::string what;  ///< the key
  std::string from;
  std::string to;  ///< "none" where nothing is given

  auto operator<=>(const Difference&) const = default;
};

/// In the order of the keys. What is given on one side only is told as a whole, without the keys inside it.
[[nodiscard]] std::vector<Difference> differences(const KeyValues& before, const KeyValues& after);

}  // namespace director
