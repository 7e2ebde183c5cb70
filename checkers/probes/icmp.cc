// An echo message: type, code 0, checksum (2 bytes), identifier (2), sequence number (2), data.
#include "checkers/probes/icmp.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

namespace checkers {
namespace {

constexpr char echo_request_v4 = 8;
constexpr char echo_reply_v4 = 0;
constexpr char echo_request_v6 = static_cast<char>(128);
constexpr char echo_reply_v6 = static_cast<char>(129);
constexpr std::size_t header_size = 8;

}  // namespace

std::uint16_t internet_checksum(std::string_view bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    sum += i % 2 == 0 ? static_cast<std::uint32_t>(byte) << 8 : byte;
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::string EchoExchange::question() {
  std::string message(header_size + sizeof token_, '\0');
  message[0] = target_.is_v4() ? echo_request_v4 : echo_request_v6;
  // A ping socket writes its own identifier; a raw one sends this.
  std::memcpy(&message[4], &token_, 2);
  std::memcpy(&message[header_size], &token_, sizeof token_);
  if (target_.is_v4()) {  // for IPv6 the kernel knows the pseudo-header and does it
    const auto sum = internet_checksum(message);
    message[2] = static_cast<char>(sum >> 8);
    message[3] = static_cast<char>(sum & 0xff);
  }
  return message;
}

std::optional<Result> EchoExchange::receive(std::string_view datagram) {
  // An IPv4 header in front, which only a raw socket shows, begins with a 4; no echo reply does.
  if (target_.is_v4() && !datagram.empty() && (static_cast<unsigned char>(datagram[0]) >> 4) == 4) {
    const auto header = static_cast<std::size_t>(datagram[0] & 0xf) * 4;
    datagram.remove_prefix(std::min(header, datagram.size()));
  }
  if (datagram.size() < header_size + sizeof token_) return std::nullopt;
  if (datagram[0] != (target_.is_v4() ? echo_reply_v4 : echo_reply_v6)) return std::nullopt;
  if (std::memcmp(datagram.data() + header_size, &token_, sizeof token_) != 0) return std::nullopt;
  return passed(doing(), "answered");
}

std::string EchoExchange::doing() const { return fmt::format("icmp {}", to_string(target_)); }

}  // namespace checkers
