#pragma once

#include <netlink/attr.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "net/error.h"

/// Netlink attributes (linux/netlink.h), as they are read.
namespace net {

using Bytes = std::span<const std::byte>;

template <class T>
concept Plain = std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> && !std::is_array_v<T>;

template <Plain T>
[[nodiscard]] Bytes bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

/// What the value of an attribute must be.
namespace attribute {

constexpr nla_policy between(std::uint16_t least, std::uint16_t most) {
  return {.type = NLA_UNSPEC, .minlen = least, .maxlen = most};
}
template <Plain T>
constexpr nla_policy exactly = between(sizeof(T), sizeof(T));
/// One that ends with a NUL.
constexpr nla_policy string = {.type = NLA_STRING, .minlen = 1, .maxlen = 0};
/// Attributes, perhaps none.
constexpr nla_policy nest = {.type = NLA_NESTED, .minlen = 0, .maxlen = 0};
/// An IPv4 or IPv6 address, by its length.
constexpr nla_policy address = between(4, 16);

}  // namespace attribute

/// The strings of one type among attributes that may hold several of it; without those whose length lies.
[[nodiscard]] std::vector<std::string> texts_in(Bytes bytes, std::uint16_t type);

/// Which attributes of a message or nest are read, by their types. Made when the program is compiled:
///
///     constexpr AttributePolicy route_policy = {{RTA_DST, attribute::address}, {RTA_OIF, attribute::exactly<int>}};
class AttributePolicy {
 public:
  static constexpr std::size_t max_type = 63;

  struct Rule {
    std::size_t type;
    nla_policy value;
  };

  consteval AttributePolicy(std::initializer_list<Rule> rules) {
    for (const Rule& rule : rules) {
      values_[rule.type] = rule.value;
      named_ |= std::uint64_t{1} << rule.type;
      if (rule.type > last_) last_ = rule.type;
    }
  }

  [[nodiscard]] bool names(std::size_t type) const { return type <= last_ && (named_ >> type & 1) != 0; }
  [[nodiscard]] std::size_t last() const { return last_; }
  [[nodiscard]] const nla_policy* values() const { return values_.data(); }

 private:
  std::array<nla_policy, max_type + 1> values_{};
  std::uint64_t named_ = 0;
  std::size_t last_ = 0;
};

/// The attributes of one message or nest by their type. Lives as long as the bytes it was read from.
class Attributes {
 public:
  /// Reads the whole of `bytes`, 64 KiB at most. Attributes that the policy does not name may have any value: a newer
  /// kernel has more of them. Errors: a length that lies or that the policy forbids; bytes left over; an attribute of
  /// the policy that is there twice.
  static Result<Attributes> parse(Bytes bytes, const AttributePolicy& policy);

  [[nodiscard]] bool has(std::uint16_t type) const { return type <= AttributePolicy::max_type && found_[type]; }

  /// The value's bytes; empty if it is absent.
  [[nodiscard]] Bytes find(std::uint16_t type) const;

  /// A value in the host's byte order; nothing if it is absent or of another size.
  template <Plain T>
  [[nodiscard]] std::optional<T> get(std::uint16_t type) const {
    const Bytes bytes = find(type);
    if (bytes.size() != sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

  /// A string, up to its NUL; nothing if it is absent.
  [[nodiscard]] std::optional<std::string_view> text(std::uint16_t type) const;

  /// The attributes inside one; without any if it is absent.
  [[nodiscard]] Result<Attributes> nest(std::uint16_t type, const AttributePolicy& policy) const {
    return parse(find(type), policy);
  }

 private:
  std::array<nlattr*, AttributePolicy::max_type + 1> found_{};
};

}  // namespace net
