#pragma once

#include <string_view>

/// The daemon's log: one line a transition, to standard error. Colours only on a terminal; no time stamps where the
/// journal adds its own. Libraries of this project do not log; only director/ does.
namespace director::log {

void info(std::string_view line);
void warning(std::string_view line);
void error(std::string_view line);

}  // namespace director::log
