#pragma once

#include <source_location>
#include <string_view>

namespace net {

/// Says on standard error which invariant did not hold and where, in one write, if that is possible within a second,
/// and ends the process by SIGABRT. The rules and the leases stay in the kernel, as after any crash.
[[noreturn]] void invariant_broken(std::string_view invariant, const std::source_location& where) noexcept;

/// An invariant that a class of ours claims, in every build: what is wrong with us must not go on as undefined
/// behaviour. `invariant` is the sentence that must be true. What comes from the wire, a file or the kernel is no
/// invariant: it is validated and refused.
inline void check(bool holds, std::string_view invariant,
                  const std::source_location& where = std::source_location::current()) noexcept {
  if (!holds) [[unlikely]]
    invariant_broken(invariant, where);
}

/// What a pointer leads to that `invariant` says is there.
template <class T>
[[nodiscard]] T& must_exist(T* pointer, std::string_view invariant,
                            const std::source_location& where = std::source_location::current()) noexcept {
  check(pointer != nullptr, invariant, where);
  return *pointer;
}

/// The value in `map` of a key that `invariant` says is there.
template <class Map>
[[nodiscard]] auto& must_find(Map& map, const typename Map::key_type& key, std::string_view invariant,
                              const std::source_location& where = std::source_location::current()) noexcept {
  const auto found = map.find(key);
  check(found != map.end(), invariant, where);
  return found->second;
}

}  // namespace net
