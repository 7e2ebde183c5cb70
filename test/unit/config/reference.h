#pragma once

#include <string>

#include "config/schema/shape.h"

/// The generated part of docs/configuration.md: a table of keys for each kind of map in the cluster file.
namespace reference {

[[nodiscard]] std::string of(const config::Shape& file);

inline constexpr auto begin_mark = "<!-- keys: generated, see test/unit/config/reference_test.cc -->\n";
inline constexpr auto end_mark = "<!-- end of keys -->\n";

}  // namespace reference
