// RFC 1035 section 4.1.1, all integers in network order:
//   ID | QR Opcode(4) AA TC RD RA Z(3) RCODE(4) | QDCOUNT | ANCOUNT | NSCOUNT | ARCOUNT
//   question: QNAME QTYPE QCLASS          resource record: NAME TYPE CLASS TTL(4) RDLENGTH RDATA
// A name is labels (length 1..63, bytes), ended by a zero or by a pointer (two bytes that begin with 11).
#include "checkers/probes/dns_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "net/ascii.h"

namespace checkers::dns {
namespace {

constexpr std::uint16_t class_in = 1;
constexpr std::uint16_t type_a = 1;
constexpr std::uint16_t type_aaaa = 28;
constexpr std::size_t address_limit = 64;

void put16(std::string& out, std::uint16_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value & 0xff);
}

std::string pack_question(const Question& question) {
  std::string out;
  std::string_view rest = question.name;
  while (!rest.empty() && rest != ".") {
    const auto label = rest.substr(0, std::min<std::size_t>(rest.find('.'), 63));
    out += static_cast<char>(label.size());
    out += label;
    rest.remove_prefix(std::min(rest.size(), label.size() + 1));
  }
  out += '\0';
  put16(out, question.type);
  put16(out, class_in);
  return out;
}

/// A message read from its front; any read past the end makes it bad, and all further ones.
class Reader {
 public:
  explicit Reader(std::string_view message) : rest_(message) {}

  std::string_view bytes(std::size_t count) {
    if (count > rest_.size()) {
      good_ = false;
      rest_ = {};
      return {};
    }
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::uint8_t u8() {
    const auto taken = bytes(1);
    return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken[0]);
  }
  std::uint16_t u16() {
    const unsigned high = u8();
    return static_cast<std::uint16_t>(high << 8 | u8());
  }
  /// Names are only passed over: what a record is about does not matter here. A pointer ends a name.
  void name() {
    while (good_) {
      const auto length = u8();
      if (length == 0) return;
      if ((length & 0xc0) == 0xc0) {
        u8();
        return;
      }
      if (length > 63) good_ = false;
      bytes(length);
    }
  }
  [[nodiscard]] bool good() const { return good_; }

 private:
  std::string_view rest_;
  bool good_ = true;
};

}  // namespace

std::string pack(const Question& question) {
  std::string out;
  put16(out, question.id);
  put16(out, 0x0100);  // RD
  put16(out, 1);
  out.append(6, '\0');
  return out + pack_question(question);
}

std::expected<Response, ParseError> parse(std::string_view message, const Question& question) {
  Reader reader(message);
  const auto id = reader.u16();
  const auto flags = reader.u16();
  const auto questions = reader.u16();
  const auto answers = reader.u16();
  reader.bytes(4);
  const bool is_response = (flags & 0x8000) != 0 && (flags & 0x7800) == 0;
  if (!reader.good() || id != question.id || !is_response) return std::unexpected(ParseError::another);

  Response response{
      .rcode = static_cast<std::uint8_t>(flags & 0xf), .truncated = (flags & 0x0200) != 0, .addresses = {}};
  // A server that could not even read the question (FORMERR) may leave it out.
  if (questions == 0) return response;
  const auto asked = pack_question(question);
  const auto echoed = reader.bytes(asked.size());
  if (questions != 1 || !net::equals_ignore_case(asked, echoed)) return std::unexpected(ParseError::another);

  for (unsigned i = 0; i < answers && response.addresses.size() < address_limit; ++i) {
    reader.name();
    const auto type = reader.u16();
    const auto record_class = reader.u16();
    reader.bytes(4);
    const auto data = reader.bytes(reader.u16());
    if (!reader.good()) {
      if (response.truncated) break;
      return std::unexpected(ParseError::malformed);
    }
    const std::size_t expected = type == type_a ? 4 : type == type_aaaa ? 16 : 0;
    if (record_class != class_in || expected == 0) continue;
    if (data.size() != expected) return std::unexpected(ParseError::malformed);
    response.addresses.push_back(*net::Address::from_bytes(std::as_bytes(std::span(data))));
  }
  return response;
}

std::string name_of_rcode(std::uint8_t rcode) {
  constexpr std::array<std::string_view, 6> names = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
  return rcode < names.size() ? std::string(names[rcode]) : fmt::format("RCODE{}", rcode);
}

}  // namespace checkers::dns
