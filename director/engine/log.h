#pragma once

#include <optional>
#include <string_view>

#include "director/engine/event_types.h"
#include "director/engine/log_writer.h"
#include "net/error.h"
#include "net/time.h"

/// The daemon's log: one line a transition, to standard error. Colours only on a terminal. Times as net::timestamp()
/// has them. Where standard error is the journal, which adds a time of its own, each line begins with its level as
/// sd-daemon(3) says: "<4>" for a warning. Libraries of this project do not log; only director/ does.
namespace director::log {

void write(Level level, std::string_view line);
void info(std::string_view line);
void error(std::string_view line);

/// From now on a thread writes the lines, and write() waits for nobody. Once, with the privileges that the thread is to
/// have. Errors: as LogWriter::create.
[[nodiscard]] net::Result<> start_thread();

/// Waits for `limit` at most until the thread has written all. Without a thread there is nothing to wait for.
void flush(net::Duration limit);

/// Why lines do not get out at present.
[[nodiscard]] std::optional<LogWriter::Trouble> trouble();

}  // namespace director::log
