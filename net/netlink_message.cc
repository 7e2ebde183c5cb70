#include "net/netlink_message.h"

#include <linux/netlink.h>

#include <algorithm>
#include <cassert>

namespace net {

namespace {

constexpr std::size_t aligned(std::size_t length) { return (length + NLMSG_ALIGNTO - 1) & ~(NLMSG_ALIGNTO - 1ul); }

}  // namespace

void NetlinkBatch::begin_message(std::uint16_t type, std::uint16_t flags, Bytes header) {
  starts_.push_back(size_);
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
  const std::size_t nest = size_;
  put(static_cast<std::uint16_t>(type | NLA_F_NESTED), Bytes{});
  return nest;
}

void NetlinkBatch::end_nest(std::size_t nest) {
  const auto length = static_cast<std::uint16_t>(size_ - nest);
  std::memcpy(&bytes_[nest + offsetof(nlattr, nla_len)], &length, sizeof length);
}

void NetlinkBatch::clear() {
  size_ = 0;
  starts_.clear();
}

std::span<std::byte> NetlinkBatch::messages(std::size_t first, std::size_t count) {
  assert(first + count <= starts_.size());
  const std::size_t begin = first < starts_.size() ? starts_[first] : size_;
  const std::size_t end = first + count < starts_.size() ? starts_[first + count] : size_;
  return std::span(bytes_).subspan(begin, end - begin);
}

/// Appends an attribute's header and zeroes for its value, padded to where the next attribute begins.
std::span<std::byte> NetlinkBatch::extend(std::uint16_t type, std::size_t size) {
  assert(!starts_.empty() && size <= UINT16_MAX - NLA_HDRLEN);
  const std::span<std::byte> place = append(NLA_HDRLEN + aligned(size));
  const nlattr header{.nla_len = static_cast<std::uint16_t>(NLA_HDRLEN + size), .nla_type = type};
  std::memcpy(place.data(), &header, sizeof header);
  grow_message();
  return place.subspan(NLA_HDRLEN, size);
}

/// Appends zeroes. The vector is longer than what is in it: attributes are small and many, and a resize for each took
/// a fifth of the time over a file of rules.
std::span<std::byte> NetlinkBatch::append(std::size_t size) {
  if (size_ + size > bytes_.size()) bytes_.resize(std::max(2 * bytes_.size(), size_ + size));
  const std::span<std::byte> place = std::span(bytes_).subspan(size_, size);
  std::ranges::fill(place, std::byte{});
  size_ += size;
  return place;
}

/// Appends and pads as a message's header or a family's fixed header is.
void NetlinkBatch::append(Bytes bytes) { std::ranges::copy(bytes, append(aligned(bytes.size())).begin()); }

void NetlinkBatch::grow_message() {
  const auto length = static_cast<std::uint32_t>(size_ - starts_.back());
  std::memcpy(&bytes_[starts_.back() + offsetof(nlmsghdr, nlmsg_len)], &length, sizeof length);
}

Bytes NetlinkMessage::after(std::size_t size) const { return payload.subspan(std::min(payload.size(), aligned(size))); }

Result<Attributes> Attributes::parse(Bytes bytes) {
  if (bytes.size() > UINT16_MAX) return failure("a netlink message is too long");
  Attributes attributes;
  attributes.bytes_ = bytes;
  const std::byte* const start = bytes.data();
  while (bytes.size() >= sizeof(nlattr)) {
    nlattr attribute;
    std::memcpy(&attribute, bytes.data(), sizeof attribute);
    if (attribute.nla_len < NLA_HDRLEN || attribute.nla_len > bytes.size()) {
      return failure("a netlink attribute's length is wrong");
    }
    const std::size_t type = attribute.nla_type & NLA_TYPE_MASK;
    if (type <= max_type) {
      attributes.places_[type] = {.begin = static_cast<std::uint16_t>(bytes.data() + NLA_HDRLEN - start),
                                  .size = static_cast<std::uint16_t>(attribute.nla_len - NLA_HDRLEN)};
    }
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
