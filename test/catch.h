#pragma once

// Catch2 as Debian 12 (version 2) and Debian 13 (version 3) have it, under one name.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
namespace Catch {
using Matchers::ContainsSubstring;
}
#else
#include <catch2/catch.hpp>
namespace Catch {
inline auto ContainsSubstring(const std::string& text) { return Contains(text); }
}  // namespace Catch
#endif
