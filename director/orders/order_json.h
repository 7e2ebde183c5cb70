#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "director/orders/order.h"

/// Parts of orders as JSON, the same in messages and in the state file. What is read may be anybody's: a reader throws
/// std::invalid_argument, with a message, for whoever catches what the JSON library throws.
namespace director {

/// The greatest counter that is taken from others.
inline constexpr std::uint64_t counter_max = std::uint64_t{1} << 62;

/// A whole number from 0 to `most`, written as one: the library would make one of a fraction, or of what no integer
/// can hold.
[[nodiscard]] std::uint64_t number_in(const nlohmann::json& value, std::uint64_t most, const char* what);

/// A text of at most so many bytes.
[[nodiscard]] std::string text_in(const nlohmann::json& value, std::size_t most, const char* what);
/// The same, not empty.
[[nodiscard]] std::string name_in(const nlohmann::json& value, std::size_t most, const char* what);

/// A member that must be there.
[[nodiscard]] const nlohmann::json& member(const nlohmann::json& object, const char* name);

/// The longest age or time left that is taken from others: ten years of milliseconds.
inline constexpr std::uint64_t age_max = std::uint64_t{3660} * 86'400'000;

/// How long ago something was, in milliseconds, since clocks differ; 0 for what `now` has not come to. Nothing for no
/// time, which the epoch stands for.
void put_age(nlohmann::json& value, const char* name, WallTime at, WallTime now);
/// The time of an age, after 1970 whatever this node's clock says; the epoch where there is none.
[[nodiscard]] WallTime time_before(const nlohmann::json& value, const char* name, WallTime now);

/// "drain", "weight".
[[nodiscard]] OrderKind kind_in(const nlohmann::json& value);

/// {"counter", "node", "process", "by", "replaces"}
[[nodiscard]] nlohmann::json to_json(const OrderOrigin& origin);
[[nodiscard]] OrderOrigin origin_from_json(const nlohmann::json& value);

/// {"0123456789abcdef": 17}
[[nodiscard]] nlohmann::json to_json(const KnownOrders& known);
[[nodiscard]] KnownOrders known_from_json(const nlohmann::json& value);

}  // namespace director
