#pragma once

#include <string_view>

#include "director/engine/event_types.h"

/// The daemon's log: one line a transition, to standard error. Colours only on a terminal. Times as net::timestamp()
/// has them. Where standard error is the journal, which adds a time of its own, each line begins with its level as
/// sd-daemon(3) says: "<4>" for a warning. Libraries of this project do not log; only director/ does.
namespace director::log {

void write(Level level, std::string_view line);
void info(std::string_view line);
void error(std::string_view line);

}  // namespace director::log
