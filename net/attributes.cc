#include "net/attributes.h"

#include <algorithm>

namespace net {

std::vector<std::string> texts_in(Bytes bytes, std::uint16_t type) {
  std::vector<std::string> texts;
  auto* const first = reinterpret_cast<nlattr*>(const_cast<std::byte*>(bytes.data()));
  int rest = 0;
  const nlattr* attribute = nullptr;
  nla_for_each_attr(attribute, first, static_cast<int>(std::min<std::size_t>(bytes.size(), UINT16_MAX)), rest) {
    if (nla_type(attribute) != type) continue;
    const std::string_view text(static_cast<const char*>(nla_data(attribute)),
                                static_cast<std::size_t>(nla_len(attribute)));
    texts.emplace_back(text.substr(0, text.find('\0')));
  }
  return texts;
}

Result<Attributes> Attributes::parse(Bytes bytes, const AttributePolicy& policy) {
  if (bytes.size() > UINT16_MAX) return failure("a netlink message is too long");
  // libnl reads through pointers without const.
  auto* const first = reinterpret_cast<nlattr*>(const_cast<std::byte*>(bytes.data()));
  const int size = static_cast<int>(bytes.size());
  Attributes attributes;
  if (nla_parse(attributes.found_.data(), static_cast<int>(policy.last()), first, size, policy.values()) < 0) {
    return failure("a netlink attribute's length is wrong");
  }
  // It stops where the next attribute does not fit, and takes the later of two of one type: both are refused here.
  std::uint64_t seen = 0;
  int rest = 0;
  const nlattr* attribute = nullptr;
  nla_for_each_attr(attribute, first, size, rest) {
    const auto type = static_cast<std::size_t>(nla_type(attribute));
    if (!policy.names(type)) continue;
    if (seen >> type & 1) return failure("a netlink attribute occurs twice");
    seen |= std::uint64_t{1} << type;
  }
  if (rest > 0) return failure("a netlink message ends within an attribute");
  return attributes;
}

Bytes Attributes::find(std::uint16_t type) const {
  if (!has(type)) return {};
  return {static_cast<const std::byte*>(nla_data(found_[type])), static_cast<std::size_t>(nla_len(found_[type]))};
}

std::optional<std::string_view> Attributes::text(std::uint16_t type) const {
  if (!has(type)) return std::nullopt;
  const Bytes bytes = find(type);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.substr(0, text.find('\0'));
}

}  // namespace net
