#pragma once

#include <span>
#include <string>
#include <string_view>

/// The words of keepalived, ldirectord and ipvsadm, and what each is called here: whoever writes a cluster file has
/// written theirs before.
namespace config {

/// The end of a message about the unknown key `word` in an object called `noun`: "lb_algo is keepalived's word; here it
/// is 'scheduler' of a service"; also of our own keys, where people look for them in the wrong place. Empty when it is
/// nobody's.
[[nodiscard]] std::string known_elsewhere(std::string_view word, std::string_view noun);

/// The same of a value where one of `choices` is expected: "masq is ldirectord's word; here it is 'nat'".
[[nodiscard]] std::string known_elsewhere(std::string_view word, std::span<const std::string> choices);

}  // namespace config
