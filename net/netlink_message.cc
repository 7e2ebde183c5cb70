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
  assert(!starts_.empty() && value.size() <= UINT16_MAX - NLA_HDRLEN);
  append(bytes_of(nlattr{.nla_len = static_cast<std::uint16_t>(NLA_HDRLEN + value.size()), .nla_type = type}));
  append(value);
  grow_message();
}

void NetlinkBatch::put_text(std::uint16_t type, std::string_view text) {
  assert(!starts_.empty() && text.size() < UINT16_MAX - NLA_HDRLEN);
  append(bytes_of(nlattr{.nla_len = static_cast<std::uint16_t>(NLA_HDRLEN + text.size() + 1), .nla_type = type}));
  const std::size_t end = bytes_.size() + aligned(text.size() + 1);
  bytes_.insert(bytes_.end(), std::as_bytes(std::span(text)).begin(), std::as_bytes(std::span(text)).end());
  bytes_.resize(end);
  grow_message();
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

/// Appends and pads to the next multiple of four, where the next attribute begins.
void NetlinkBatch::append(Bytes bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  bytes_.resize(aligned(bytes_.size()));
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
