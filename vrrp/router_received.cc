// What a router receives: checked, counted, and handed over.

#include <algorithm>
#include <utility>

#include "vrrp/link.h"
#include "vrrp/router.h"
#include "vrrp/signature.h"

namespace vrrp {

namespace {

constexpr std::size_t most_peers = 12;  // whoever forges sources fills no memory

}  // namespace

Router::Received Router::receive(Instant now, const std::optional<Identity>& self) {
  Received received;
  if (!port_ || !source_) return received;
  const bool can_ask = self && signs();
  port_->receive([&](const net::RawSocket::Packet& packet) {
    if (spec_.signing && is_hello(packet.payload)) {
      receive_hello(packet, can_ask ? &*self : nullptr, now, received);
    } else {
      receive_advert(packet, can_ask, now, received);
    }
  });
  if (can_ask) send_questions(received.questions, *self, now);
  return received;
}

void Router::receive_advert(const net::RawSocket::Packet& packet, bool can_ask, Instant now, Received& received) {
  auto checked = check(packet);
  if (checked) {
    follow_checksum(packet, *checked, received);
    return judge(packet.source, *std::move(checked), can_ask, now, received);
  }
  const RejectReason reason = checked.error();
  if (packet.source != *source_ && reason != RejectReason::owner)
    last_rejected_ = {.source = packet.source, .reason = reason, .heard = now};
  reject(packet.source, reason, received);
}

/// keepalived and FRR take but the form of RFC 5798, routers built to RFC 9568 but the other one: each would lead
/// beside whoever sends what it does not take.
void Router::follow_checksum(const net::RawSocket::Packet& packet, const Checked& checked, Received& received) {
  if (spec_.checksum || spec_.version == 2 || packet.source.is_v6()) return;
  if (follows(checked.packet.advert, path_of(packet), checksum_)) return;
  checksum_ = checksum_ == Checksum::rfc5798 ? Checksum::rfc9568 : Checksum::rfc5798;
  received.other_checksum = packet.source;
}

void Router::accept(const net::Address& source, const Advert& advert, Instant now, Received& received) {
  ++counters_.received;
  if (common_addresses(advert) != std::max(spec_.addresses.size(), advert.addresses.size())) {
    ++counters_.other_address_list;
    received.rejected.push_back({.source = source, .reason = RejectReason::address_list});
  }
  note_peer(source, advert, now);
  received.accepted.push_back({.source = source,
                               .heard = {.priority = advert.priority,
                                         .max_advertise_interval = advert.max_advertise_interval,
                                         .greater_address = source > *source_}});
}

void Router::reject(const net::Address& source, RejectReason reason, Received& received) {
  ++counters_.rejected[std::to_underlying(reason)];
  received.rejected.push_back({.source = source, .reason = reason});
}

/// RFC 9568 section 7.1, and what a unicast peer must be.
std::expected<Router::Checked, RejectReason> Router::check(const net::RawSocket::Packet& packet) const {
  if (packet.ttl != required_ttl) return std::unexpected(RejectReason::ttl);
  if (packet.destination.is_multicast() == spec_.unicast.has_value()) return std::unexpected(RejectReason::destination);
  if (!may_send(packet.source)) return std::unexpected(RejectReason::source);
  auto read = this->read(packet);
  if (!read) return read;
  if (spec_.owns_addresses()) return std::unexpected(RejectReason::owner);
  if (common_addresses(read->advert) == 0 && !read->packet.sequence && !is_known(packet.source))
    return std::unexpected(RejectReason::vrid_conflict);
  return read;
}

/// Whether it has shown that it is a node of this cluster. Whose address list is changed before ours is one still.
bool Router::is_known(const net::Address& source) const {
  return std::ranges::find(spec_.peer_addresses, source) != spec_.peer_addresses.end() ||
         std::ranges::find(peers_, source, &Peer::address) != peers_.end();
}

/// Another node, and a peer where they are known.
bool Router::may_send(const net::Address& source) const {
  const bool unknown = spec_.unicast && std::ranges::find(spec_.unicast->peers, source) == spec_.unicast->peers.end();
  return !unknown && source != *source_;
}

std::expected<Router::Checked, RejectReason> Router::read(const net::RawSocket::Packet& packet) const {
  Checked read{.advert = {}, .packet = {.advert = packet.payload, .sequence = {}}};
  if (spec_.version != 2 && spec_.signing) {
    const auto verified = vrrp::verify(packet.payload, path_of(packet), *spec_.signing);
    if (!verified) return std::unexpected(verified.error());
    read.packet = *verified;
  }
  auto advert =
      spec_.version == 2 ? decode_v2(packet.payload, spec_.password) : decode(read.packet.advert, path_of(packet));
  if (!advert) return std::unexpected(advert.error());
  if (spec_.version == 2 && advert->max_advertise_interval != spec_.advertise)
    return std::unexpected(RejectReason::interval);
  read.advert = *std::move(advert);
  return read;
}

std::size_t Router::common_addresses(const Advert& advert) const {
  return static_cast<std::size_t>(std::ranges::count_if(spec_.addresses, [&](const auto& own) {
    return std::ranges::find(advert.addresses, own.prefix.address) != advert.addresses.end();
  }));
}

void Router::note_peer(const net::Address& source, const Advert& advert, Instant now) {
  auto peer = std::ranges::find(peers_, source, &Peer::address);
  if (peer == peers_.end() && peers_.size() == most_peers) {
    peer = std::ranges::min_element(peers_, {}, &Peer::heard);  // make room
  } else if (peer == peers_.end()) {
    peer = peers_.insert(peers_.end(), Peer{});
  }
  *peer = {.address = source, .priority = advert.priority, .heard = now};
}

}  // namespace vrrp
