#pragma once

#include <span>
#include <string>
#include <string_view>

/// The keywords of keepalived, ldirectord and ipvsadm, and directord's key for each, since many users know those tools.
namespace config {

/// The end of a message about the unknown key `word` in an object called `noun`: "lb_algo is keepalived's
/// keyword; use 'scheduler' of a service"; also for keys of the cluster file that belong in another place. Empty for an
/// unknown word.
[[nodiscard]] std::string known_elsewhere(std::string_view word, std::string_view noun);

/// The same of a value where one of `choices` is expected: "masq is ldirectord's keyword; use 'nat'".
[[nodiscard]] std::string known_elsewhere(std::string_view word, std::span<const std::string> choices);

}  // namespace config
