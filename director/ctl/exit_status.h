#pragma once

namespace director {

/// How directorctl ends.
enum ExitStatus { done = 0, refused = 1, usage = 2, no_daemon = 3 };

}  // namespace director
