// What a router signs, and what it accepts by its signature: sequences, and hellos beside the adverts.

#include <algorithm>
#include <utility>

#include "vrrp/link.h"
#include "vrrp/router.h"
#include "vrrp/signature.h"

namespace vrrp {

namespace {

using namespace std::chrono_literals;

/// Between one question to a node and the next.
constexpr Duration question_interval = 1s;

}  // namespace

/// In microseconds.
std::uint64_t Router::time_of_day() const {
  const auto now = loop_->clock().wall().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

bool Router::signs() const { return spec_.signing && spec_.signing->mode != SigningMode::receive_only; }

/// A master says nothing but adverts: who hears them asks, and the question tells the master what it would ask itself.
void Router::send_questions(const std::set<net::Address>& others, const Identity& self, Instant now) {
  if (!signs()) return;
  for (const net::Address& other : others) {
    const auto [last, is_first] = last_question_.try_emplace(other, now);
    if (!is_first && now - last->second < question_interval) continue;
    last->second = now;
    send_hello(other, self, true);
  }
}

/// What does not arrive is asked for again; an error of the link shows in the adverts.
void Router::send_hello(const net::Address& other, const Identity& self, bool question) {
  const Path path{.source = *source_, .destination = other};
  const auto hello = encode({.router_id = spec_.router_id, .question = question, .from = self});
  const auto packet = sign(hello, path, spec_.signing->keys.front(), sequences_.next(time_of_day()));
  std::ignore = socket_->send(packet, path.source, path.destination);
}

/// Never accepted without a signature, whatever the signing mode says of adverts.
std::expected<Hello, RejectReason> Router::check_hello(const net::RawSocket::Packet& packet) {
  if (packet.ttl != required_ttl) return std::unexpected(RejectReason::ttl);
  if (packet.destination != *source_) return std::unexpected(RejectReason::destination);
  const bool unknown_sender =
      spec_.unicast && std::ranges::find(spec_.unicast->peers, packet.source) == spec_.unicast->peers.end();
  if (unknown_sender || packet.source == *source_) return std::unexpected(RejectReason::source);
  if (packet.payload.size() > 1 && std::to_integer<std::uint8_t>(packet.payload[1]) != spec_.router_id) {
    return std::unexpected(RejectReason::router_id);
  }
  const auto verified = vrrp::verify(packet.payload, path_of(packet), *spec_.signing);
  if (!verified) return std::unexpected(verified.error());
  if (!verified->sequence) return std::unexpected(RejectReason::not_signed);
  auto hello = decode_hello(verified->advert);
  if (!hello) return hello;
  if (!sequences_.note_hello(packet.source, *verified->sequence, time_of_day()))
    return std::unexpected(RejectReason::replay);
  return hello;
}

}  // namespace vrrp
