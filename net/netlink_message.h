#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "net/error.h"

/// Netlink's bytes (linux/netlink.h): messages and attributes, built and read without a socket.
namespace net {

using Bytes = std::span<const std::byte>;

template <class T>
concept Plain = std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> && !std::is_array_v<T>;

template <Plain T>
[[nodiscard]] Bytes bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

/// Messages laid end to end as one sendmsg takes them.
///
///     batch.begin(RTM_NEWADDR, NLM_F_CREATE, ifaddrmsg{...});
///     batch.put(IFA_LOCAL, address.bytes());
class NetlinkBatch {
 public:
  /// Begins a message of `type` with the family's fixed header (ifaddrmsg, genlmsghdr, ...). NLM_F_REQUEST is always
  /// set; NLM_F_ACK and the sequence number are the socket's business. All nests must be closed.
  template <Plain Header>
  void begin(std::uint16_t type, std::uint16_t flags, const Header& header) {
    begin_message(type, flags, bytes_of(header));
  }

  /// Appends an attribute to the message begun last, in the host's byte order.
  void put(std::uint16_t type, Bytes value);
  template <Plain T>
    requires(std::is_arithmetic_v<T> || std::is_class_v<T>) && (!std::is_convertible_v<const T&, Bytes>)
  void put(std::uint16_t type, const T& value) {
    put(type, bytes_of(value));
  }

  /// A string with its closing NUL.
  void put_text(std::uint16_t type, std::string_view text);

  /// Opens a nested attribute; attributes put until end_nest(what it returned) lie inside.
  std::size_t begin_nest(std::uint16_t type);
  void end_nest(std::size_t nest);

  void clear();
  [[nodiscard]] bool empty() const { return starts_.empty(); }
  [[nodiscard]] std::size_t count() const { return starts_.size(); }

  /// The messages from `first` on, `count` of them, to be stamped and sent. Valid until the batch changes.
  [[nodiscard]] std::span<std::byte> messages(std::size_t first, std::size_t count);
  [[nodiscard]] std::span<std::byte> message(std::size_t index) { return messages(index, 1); }

 private:
  void begin_message(std::uint16_t type, std::uint16_t flags, Bytes header);
  std::span<std::byte> append(std::size_t size);
  void append(Bytes bytes);
  std::span<std::byte> extend(std::uint16_t type, std::size_t size);
  void grow_message();

  std::vector<std::byte> bytes_;
  std::size_t size_ = 0;  ///< of what is in bytes_
  std::vector<std::size_t> starts_;
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

/// The attributes of one message or nest by their type. Lives as long as the bytes it was read from.
class Attributes {
 public:
  static constexpr std::size_t max_type = 79;  ///< higher ones are skipped

  /// Reads the whole of `bytes`, 64 KiB at most; of two attributes with one type the later counts. Error: a length that
  /// lies.
  static Result<Attributes> parse(Bytes bytes);

  [[nodiscard]] bool has(std::uint16_t type) const { return type <= max_type && places_[type].begin > 0; }

  /// The value's bytes; empty if it is absent.
  [[nodiscard]] Bytes find(std::uint16_t type) const {
    return type <= max_type && places_[type].begin > 0 ? bytes_.subspan(places_[type].begin, places_[type].size)
                                                       : Bytes{};
  }

  /// A value in the host's byte order; nothing if it is absent or too short.
  template <Plain T>
  [[nodiscard]] std::optional<T> get(std::uint16_t type) const {
    const Bytes bytes = find(type);
    if (bytes.size() < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

  /// A string, up to its NUL; nothing if it is absent.
  [[nodiscard]] std::optional<std::string_view> text(std::uint16_t type) const;

  /// The attributes inside one; without any if it is absent.
  [[nodiscard]] Result<Attributes> nest(std::uint16_t type) const { return parse(find(type)); }

 private:
  struct Place {
    std::uint16_t begin = 0;  ///< 0: absent, since a value stands behind its header
    std::uint16_t size = 0;
  };

  Bytes bytes_;
  std::array<Place, max_type + 1> places_{};
};

}  // namespace net
