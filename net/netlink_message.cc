#include "net/netlink_message.h"

#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include <algorithm>
#include <new>

#include "net/check.h"

namespace net {

namespace {

/// Holds any IPVS command without growing: the longest has 164 bytes and names of 16 at most. What libnl would take by
/// itself is a page, zeroed.
constexpr std::size_t message_bytes = 256;

}  // namespace

void NetlinkBatch::Free::operator()(nl_msg* message) const { nlmsg_free(message); }

/// A message without anything, new or used before: nl_msg keeps its length in the netlink header.
nl_msg* NetlinkBatch::next_message() {
  if (count_ == messages_.size()) {
    messages_.emplace_back(nlmsg_alloc_size(message_bytes));
    if (!messages_.back()) {
      messages_.pop_back();
      throw std::bad_alloc();
    }
  }
  nl_msg* const message = messages_[count_++].get();
  nlmsg_hdr(message)->nlmsg_len = NLMSG_HDRLEN;
  return message;
}

void NetlinkBatch::begin_message(std::uint16_t type, std::uint16_t flags, Bytes header) {
  nlmsg_put(next_message(), 0, 0, type, 0, flags | NLM_F_REQUEST);
  append([&](nl_msg* message) {
    // libnl writes through no pointer that it is given to read from, but says so nowhere.
    return nlmsg_append(message, const_cast<std::byte*>(header.data()), header.size(), NLMSG_ALIGNTO);
  });
}

void NetlinkBatch::begin_command(std::uint16_t family, std::uint8_t command, std::uint8_t version) {
  nl_msg* const message = next_message();
  genlmsg_put(message, 0, 0, family, 0, NLM_F_REQUEST, command, version);
  genlmsg_hdr(nlmsg_hdr(message))->reserved = 0;  // which libnl leaves as it was
}

void NetlinkBatch::put(std::uint16_t type, Bytes value) {
  check(value.size() <= UINT16_MAX - NLA_HDRLEN, "a netlink attribute is shorter than 64 KiB");
  append([&](nl_msg* message) { return nla_put(message, type, static_cast<int>(value.size()), value.data()); });
}

void NetlinkBatch::put_text(std::uint16_t type, const std::string& text) {
  append([&](nl_msg* message) { return nla_put_string(message, type, text.c_str()); });
}

/// A nest is known by its offset: a message that grows may move.
std::size_t NetlinkBatch::begin_nest(std::uint16_t type) {
  const std::size_t nest = message(count_ - 1).size();
  append([&](nl_msg* message) { return nla_nest_start(message, type) ? 0 : -1; });
  return nest;
}

void NetlinkBatch::end_nest(std::size_t nest) {
  nl_msg* const message = handle(count_ - 1);
  auto* const start = reinterpret_cast<nlattr*>(reinterpret_cast<std::byte*>(nlmsg_hdr(message)) + nest);
  check(nla_nest_end_keep_empty(message, start) == 0, "a nest of netlink attributes is shorter than 64 KiB");
}

/// Appends to the message begun last by one of libnl's functions, whose only error is that there is no room.
template <class Append>
void NetlinkBatch::append(Append append) {
  nl_msg* const message = handle(count_ - 1);
  while (append(message) < 0) {
    if (nlmsg_expand(message, 2 * nlmsg_get_max_size(message)) < 0) throw std::bad_alloc();
  }
}

nl_msg* NetlinkBatch::handle(std::size_t index) const {
  check(index < count_, "a message that is asked for, or put into, has been begun");
  return messages_[index].get();
}

Bytes NetlinkBatch::message(std::size_t index) const {
  const nlmsghdr* const header = nlmsg_hdr(handle(index));
  return {reinterpret_cast<const std::byte*>(header), header->nlmsg_len};
}

Bytes NetlinkMessage::after(std::size_t size) const {
  return payload.subspan(std::min<std::size_t>(payload.size(), NLMSG_ALIGN(size)));
}

}  // namespace net
