#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "net/attributes.h"

struct nl_msg;

namespace net {

/// Messages that go to the kernel together, over libnl-3's nl_msg.
///
///     batch.begin(RTM_NEWADDR, NLM_F_CREATE, ifaddrmsg{...});
///     batch.put(IFA_LOCAL, address.bytes());
///
/// Throws std::bad_alloc, as a container does.
class NetlinkBatch {
 public:
  /// Begins a message of `type` with the family's fixed header (ifaddrmsg, rtmsg, ...). NLM_F_REQUEST is always set;
  /// NLM_F_ACK and the sequence number are the socket's business. All nests must be closed.
  template <Plain Header>
  void begin(std::uint16_t type, std::uint16_t flags, const Header& header) {
    begin_message(type, flags, bytes_of(header));
  }

  /// The same for a command of a generic-netlink family, by the id that the kernel gave it.
  void begin_command(std::uint16_t family, std::uint8_t command, std::uint8_t version);

  /// Appends an attribute of less than 64 KiB to the message begun last, in the host's byte order.
  void put(std::uint16_t type, Bytes value);
  template <Plain T>
    requires(std::is_arithmetic_v<T> || std::is_class_v<T>) && (!std::is_convertible_v<const T&, Bytes>)
  void put(std::uint16_t type, const T& value) {
    put(type, bytes_of(value));
  }

  /// A string with its closing NUL.
  void put_text(std::uint16_t type, const std::string& text);

  /// Opens a nested attribute; attributes put until end_nest(what it returned) lie inside.
  std::size_t begin_nest(std::uint16_t type);
  void end_nest(std::size_t nest);

  /// Forgets the messages; their memory serves the next ones.
  void clear() { count_ = 0; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t count() const { return count_; }

  /// A message's bytes, with its netlink header. Valid until the batch changes.
  [[nodiscard]] Bytes message(std::size_t index) const;

  /// For the socket, which stamps and sends it.
  [[nodiscard]] nl_msg* handle(std::size_t index) const;

 private:
  struct Free {
    void operator()(nl_msg* message) const;
  };

  nl_msg* next_message();
  void begin_message(std::uint16_t type, std::uint16_t flags, Bytes header);
  template <class Append>
  void append(Append append);

  std::vector<std::unique_ptr<nl_msg, Free>> messages_;  ///< the first count_ are in use
  std::size_t count_ = 0;
};

/// A received message: `payload` begins with the family's fixed header and lives as long as the callback that is given
/// it.
struct NetlinkMessage {
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t sequence = 0;
  Bytes payload;

  /// The fixed header, or nothing if the message is too short for it.
  template <Plain Header>
  [[nodiscard]] std::optional<Header> header() const {
    if (payload.size() < sizeof(Header)) return std::nullopt;
    Header value;
    std::memcpy(&value, payload.data(), sizeof value);
    return value;
  }

  /// What follows a fixed header of `size` bytes, which is padded to four.
  [[nodiscard]] Bytes after(std::size_t size) const;
};

}  // namespace net
