#include "net/netlink_message.h"

#include <linux/netlink.h>

#include <algorithm>
#include <cassert>

namespace net {

namespace {

constexpr std::size_t aligned(std::size_t length) { return (length + NLMSG_ALIGNTO - 1) & ~(NLMSG_ALIGNTO - 1ul); }

}  // namespace

void NetlinkBatch::begin_message(std::uint16_t type, std::uint16_t flags, Bytes header) {
  starts_.push_back(bytes_.size());
  const nlmsghdr message{.nlmsg_len = 0,
                         .nlmsg_type = type,
                         .nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST),
                         .nlmsg_seq = 0,
                         .nlmsg_pid = 0};
  append(bytes_of(message));
  append(header);
  grow_message();
}

void NetlinkBatch::put(std::uint16_t type, Bytes value) {
  const std::span<std::byte> place = extend(type, value.size());
  if (!value.empty()) std::memcpy(place.data(), value.data(), value.size());
}

void NetlinkBatch::put_text(std::uint16_t type, std::string_view text) {
  const std::span<std::byte> place = extend(type, text.size() + 1);
  std::memcpy(place.data(), text.data(), text.size());
}

std::size_t NetlinkBatch::begin_nest(std::uint16_t type) {
  const std::size_t nest = bytes_.size();
  put(static_cast<std::uint16_t>(type | NLA_F_NESTED), Bytes{});
  return nest;
}

void NetlinkBatch::end_nest(std::size_t nest) {
  const auto length = static_cast<std::uint16_t>(bytes_.size() - nest);
  std::memcpy(&bytes_[nest + offsetof(nlattr, nla_len)], &length, sizeof length);
}

void NetlinkBatch::clear() {
  bytes_.clear();
  starts_.clear();
}

std::span<std::byte> NetlinkBatch::messages(std::size_t first, std::size_t count) {
  assert(first + count <= starts_.size());
  const std::size_t begin = first < starts_.size() ? starts_[first] : bytes_.size();
  const std::size_t end = first + count < starts_.size() ? starts_[first + count] : bytes_.size();
  return std::span(bytes_).subspan(begin, end - begin);
}

/// Appends an attribute's header and zeroes for its value, padded to where the next attribute begins.
std::span<std::byte> NetlinkBatch::extend(std::uint16_t type, std::size_t size) {
  assert(!starts_.empty() && size <= UINT16_MAX - NLA_HDRLEN);
  const std::size_t at = bytes_.size();
  bytes_.resize(at + NLA_HDRLEN + aligned(size));
  const nlattr header{.nla_len = static_cast<std::uint16_t>(NLA_HDRLEN + size), .nla_type = type};
  std::memcpy(&bytes_[at], &header, sizeof header);
  grow_message();
  return std::span(bytes_).subspan(at + NLA_HDRLEN, size);
}

/// Appends and pads as a message's header or a family's fixed header is.
void NetlinkBatch::append(Bytes bytes) {
  const std::size_t at = bytes_.size();
  bytes_.resize(at + aligned(bytes.size()));
  std::memcpy(&bytes_[at], bytes.data(), bytes.size());
}

void NetlinkBatch::grow_message() {
  const auto length = static_cast<std::uint32_t>(bytes_.size() - starts_.back());
  std::memcpy(&bytes_[starts_.back() + offsetof(nlmsghdr, nlmsg_len)], &length, sizeof length);
}

Bytes NetlinkMessage::after(std::size_t size) const { return payload.subspan(std::min(payload.size(), aligned(size))); }

Result<Attributes> Attributes::parse(Bytes bytes) {
  Attributes attributes;
  while (bytes.size() >= sizeof(nlattr)) {
    nlattr attribute;
    std::memcpy(&attribute, bytes.data(), sizeof attribute);
    if (attribute.nla_len < NLA_HDRLEN || attribute.nla_len > bytes.size()) {
      return failure("a netlink attribute's length is wrong");
    }
    const std::size_t type = attribute.nla_type & NLA_TYPE_MASK;
    if (type <= max_type) attributes.values_[type] = bytes.subspan(NLA_HDRLEN, attribute.nla_len - NLA_HDRLEN);
    bytes = bytes.subspan(std::min(bytes.size(), aligned(attribute.nla_len)));
  }
  if (!bytes.empty()) return failure("a netlink message ends within an attribute");
  return attributes;
}

std::optional<std::string_view> Attributes::text(std::uint16_t type) const {
  if (!has(type)) return std::nullopt;
  const Bytes bytes = find(type);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.substr(0, text.find('\0'));
}

}  // namespace net
