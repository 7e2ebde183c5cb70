#pragma once

#include <string_view>

namespace net {

/// The project's version, "0.2.0": what project() in CMakeLists.txt says, which is the only place where it is written.
/// Compiled into one file alone, so that raising it compiles one file anew.
[[nodiscard]] std::string_view version();

}  // namespace net
