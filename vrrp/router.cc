#include "vrrp/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "vrrp/signature.h"

namespace vrrp {

namespace {

constexpr int packets_a_turn = 256;     // a flood does not keep the loop from its timers
constexpr std::size_t most_peers = 12;  // whoever forges sources fills no memory

/// In microseconds.
std::uint64_t time_of_day() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

net::Result<> first_error(net::Result<> so_far, net::Result<> next) { return so_far ? next : so_far; }

}  // namespace

void Router::refresh(net::Loop& loop, const net::Interface* interface, const std::set<net::Address>& virtual_ones,
                     OnReady on_ready) {
  const int old_index = interface_ ? interface_->index : 0;
  interface_.reset();
  source_.reset();
  if (interface != nullptr) interface_ = *interface;
  if (!interface_ || interface_->index != old_index) close(loop);
  fault_ = open(loop, virtual_ones, std::move(on_ready));
  // Nobody reads while there is a fault: an open socket would keep the loop awake, and hand over stale adverts later.
  if (!fault_.empty()) close(loop);
}

std::string Router::open(net::Loop& loop, const std::set<net::Address>& virtual_ones, OnReady on_ready) {
  if (!interface_) return fmt::format("there is no interface {}", spec_.interface);
  if (!interface_->up) return fmt::format("link {} is down", spec_.interface);

  const auto source =
      spec_.unicast ? spec_.unicast->source : primary_address(*interface_, spec_.family(), virtual_ones);
  if (!source) {
    return fmt::format("{} has no {} of its own yet", spec_.interface,
                       spec_.family() == net::Family::ipv4 ? "IPv4 address" : "link-local IPv6 address");
  }
  if (!link_) {
    auto link = Link::open(*interface_, spec_.family(), spec_.unicast.has_value());
    if (!link) return link.error().message;
    auto watch = loop.watch(link->fd(), EPOLLIN, [ready = std::move(on_ready)](std::uint32_t) mutable { ready(); });
    if (!watch) return watch.error().message;
    link_ = std::move(*link);
    watch_ = *watch;
  }
  source_ = source;
  return "";
}

void Router::close(net::Loop& loop) {
  loop.unwatch(std::exchange(watch_, 0));
  link_.reset();
}

net::Result<> Router::change(net::Loop& loop, net::Leases& leases, Spec spec) {
  net::Result<> result;
  for (const net::Prefix& prefix : held()) {
    if (std::ranges::find(spec.addresses, prefix) != spec.addresses.end()) continue;
    result = first_error(std::move(result), leases.drop(interface_->index, prefix));
  }
  if (spec.unicast.has_value() != spec_.unicast.has_value()) close(loop);  // another kind of socket
  spec_ = std::move(spec);
  return result;
}

net::Result<> Router::send(std::uint8_t priority) {
  if (!link_ || !source_) return {};
  Advert advert{
      .router_id = spec_.router_id, .priority = priority, .max_advertise_interval = spec_.advertise, .addresses = {}};
  for (const net::Prefix& prefix : spec_.addresses) advert.addresses.push_back(prefix.address);

  net::Result<> result;
  const auto send_to = [&](const net::Address& destination) {
    const Path path{.source = *source_, .destination = destination};
    auto sent = link_->send(packet_of(advert, path), path);
    ++(sent ? counters_.sent : counters_.send_errors);
    result = first_error(std::move(result), std::move(sent));
  };
  if (spec_.unicast) {
    std::ranges::for_each(spec_.unicast->peers, send_to);
  } else {
    send_to(multicast_group(spec_.family()));
  }
  return result;
}

std::vector<std::byte> Router::packet_of(const Advert& advert, const Path& path) {
  if (spec_.version == 2) return encode_v2(advert, spec_.password);
  auto packet = encode(advert, path, spec_.checksum);
  if (!spec_.signing || spec_.signing->mode == SigningMode::receive_only) return packet;
  sequence_ = std::max(sequence_ + 1, time_of_day());  // rises even where the clock is set back
  return sign(packet, path, spec_.signing->keys.front(), sequence_);
}

/// An IPv6 address may stand in a network that the interface reaches already by an address of its own.
bool Router::needs_prefix_route(const net::Prefix& prefix) const {
  if (prefix.address.is_v4()) return true;
  return std::ranges::none_of(interface_->addresses, [&](const net::InterfaceAddress& other) {
    return std::ranges::find(spec_.addresses, other.prefix) == spec_.addresses.end() &&
           other.prefix.contains(prefix.address);
  });
}

net::Result<> Router::claim(net::Leases& leases, std::chrono::seconds lease) {
  net::Result<> result;
  if (!interface_) return result;
  for (const net::Prefix& prefix : spec_.addresses) {
    const net::Leases::Holding holding{
        .interface_index = interface_->index, .prefix = prefix, .prefix_route = needs_prefix_route(prefix)};
    result = first_error(std::move(result), leases.hold(holding, lease));
  }
  return result;
}

net::Result<> Router::yield(net::Leases& leases) {
  net::Result<> result;
  if (!interface_) return result;
  for (const net::Prefix& prefix : spec_.addresses) {
    result = first_error(std::move(result), leases.drop(interface_->index, prefix));
  }
  return result;
}

net::Result<> Router::announce(net::Announcer& announcer) {
  net::Result<> result;
  if (!interface_) return result;
  for (const net::Prefix& prefix : spec_.addresses) {
    result = first_error(std::move(result), announcer.announce(*interface_, prefix.address));
  }
  return result;
}

bool Router::holds_all() const { return held().size() == spec_.addresses.size(); }

std::vector<net::Prefix> Router::held() const {
  std::vector<net::Prefix> held;
  if (!interface_) return held;
  std::ranges::copy_if(spec_.addresses, std::back_inserter(held),
                       [&](const net::Prefix& prefix) { return interface_->holds(prefix); });
  return held;
}

std::optional<Instant> Router::claimed(net::Leases& leases, std::chrono::seconds lease) const {
  if (!interface_) return std::nullopt;
  Instant since = Instant::max();
  for (const net::Prefix& prefix : spec_.addresses) {
    const auto found = leases.find(interface_->index, prefix);
    if (!found || !*found || (*found)->granted != lease) return std::nullopt;
    since = std::min(since, (*found)->since);
  }
  return since;
}

std::vector<Router::Accepted> Router::receive(Instant now) {
  std::vector<Accepted> accepted;
  refused_.clear();
  if (!link_ || !source_) return accepted;
  link_->receive(packets_a_turn, [&](const Link::Packet& packet) {
    const auto advert = check(packet);
    if (!advert) {
      ++counters_.refused[std::to_underlying(advert.error())];
      refused_.push_back({.source = packet.path.source, .refusal = advert.error()});
      return;
    }
    ++counters_.received;
    note_peer(packet.path.source, *advert, now);
    accepted.push_back({.source = packet.path.source,
                        .heard = {.priority = advert->priority,
                                  .max_advertise_interval = advert->max_advertise_interval,
                                  .greater_address = packet.path.source > *source_}});
  });
  return accepted;
}

/// RFC 9568 section 7.1, and what a unicast peer must be.
std::expected<Advert, Refusal> Router::check(const Link::Packet& packet) {
  const auto& [source, destination] = packet.path;
  if (packet.ttl != required_ttl) return std::unexpected(Refusal::ttl);
  if (destination.is_multicast() == spec_.unicast.has_value()) return std::unexpected(Refusal::destination);
  const bool stranger = spec_.unicast && std::ranges::find(spec_.unicast->peers, source) == spec_.unicast->peers.end();
  if (stranger || source == *source_) return std::unexpected(Refusal::source);
  auto advert = read(packet);
  if (!advert) return advert;
  if (advert->router_id != spec_.router_id) return std::unexpected(Refusal::router_id);
  if (spec_.priority == owner_priority) return std::unexpected(Refusal::owner);
  return advert;
}

/// Others' virtual routers on the link may speak another version, or sign with another key: they are known by their
/// VRID.
std::expected<Advert, Refusal> Router::read(const Link::Packet& packet) {
  if (packet.advert.size() > 1 && std::to_integer<std::uint8_t>(packet.advert[1]) != spec_.router_id) {
    return std::unexpected(Refusal::router_id);
  }
  if (spec_.version == 2) {
    auto advert = decode_v2(packet.advert, spec_.password);
    if (advert && advert->max_advertise_interval != spec_.advertise) return std::unexpected(Refusal::interval);
    return advert;
  }
  if (!spec_.signing) return decode(packet.advert, packet.path);
  const auto opened = vrrp::open(packet.advert, packet.path, *spec_.signing);
  if (!opened) return std::unexpected(opened.error());
  auto advert = decode(opened->advert, packet.path);
  if (!advert || !opened->sequence) return advert;
  // Only who has a key gets an entry.
  const auto last = sequences_.find(packet.path.source);
  const auto known = last == sequences_.end() ? std::nullopt : std::optional(last->second);
  if (!is_new(*opened->sequence, known, time_of_day())) return std::unexpected(Refusal::replay);
  sequences_[packet.path.source] = *opened->sequence;
  return advert;
}

void Router::note_peer(const net::Address& source, const Advert& advert, Instant now) {
  const auto is_ours = [&](const net::Address& address) {
    return std::ranges::find(spec_.addresses, address, &net::Prefix::address) != spec_.addresses.end();
  };
  if (advert.addresses.size() != spec_.addresses.size() || !std::ranges::all_of(advert.addresses, is_ours)) {
    ++counters_.other_address_list;
    refused_.push_back({.source = source, .refusal = Refusal::address_list});
  }
  auto peer = std::ranges::find(peers_, source, &Peer::address);
  if (peer == peers_.end() && peers_.size() == most_peers) {
    peer = std::ranges::min_element(peers_, {}, &Peer::heard);  // make room
  } else if (peer == peers_.end()) {
    peer = peers_.insert(peers_.end(), Peer{});
  }
  *peer = {.address = source, .priority = advert.priority, .heard = now};
}

}  // namespace vrrp
