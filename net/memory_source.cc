#include "net/memory_source.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace net {

namespace {

/// That of an interface which a route along another one may be given.
std::optional<Address> of_another(const MemoryInterface& interface, Scope scope) {
  for (const MemoryAddress& address : interface.ipv4) {
    if (!address.secondary && address.shown.scope != Scope::link && address.shown.scope <= scope) {
      return address.prefix().address;
    }
  }
  return std::nullopt;
}

/// Site-local 5, link-local (and the loopback) 2, else 14: the numbers of RFC 4291 section 2.7.
int scope_of(const Address& address) {
  switch (ipv6_scope(address)) {
    case Scope::global:
      return 14;
    case Scope::site:
      return 5;
    default:
      return 2;
  }
}

/// RFC 6724 section 2.1 as the kernel has it.
int label_of(const Address& address) {
  static const std::array<std::pair<Prefix, int>, 8> labels = {{{Prefix::parse("::1/128").value(), 0},
                                                                {Prefix::parse("::ffff:0:0/96").value(), 4},
                                                                {Prefix::parse("::/96").value(), 3},
                                                                {Prefix::parse("2001::/32").value(), 6},
                                                                {Prefix::parse("2001:10::/28").value(), 7},
                                                                {Prefix::parse("2002::/16").value(), 2},
                                                                {Prefix::parse("fc00::/7").value(), 5},
                                                                {Prefix::parse("::/0").value(), 1}}};
  return std::ranges::find_if(labels, [&](const auto& label) { return label.first.contains(address); })->second;
}

int common_bits(const Address& a, const Address& b) {
  int bits = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    const auto different = std::to_integer<std::uint8_t>(a.bytes()[i] ^ b.bytes()[i]);
    bits += std::countl_zero(different);
    if (different != 0) break;
  }
  return bits;
}

/// What the rules of RFC 6724 section 5 say of a candidate, in their order: the greater is the better.
using Score = std::array<int, 6>;

Score score_of(const MemoryInterface& interface, const MemoryAddress& candidate, int interface_index,
               const Address& to) {
  const Address& address = candidate.prefix().address;
  const int scope = scope_of(address);
  const bool deprecated = candidate.lease.has_value();
  return {address == to,
          scope >= scope_of(to) ? -scope : scope - 128,
          !deprecated,
          interface.index == interface_index,
          label_of(address) == label_of(to),
          std::min(common_bits(address, to), int{candidate.prefix().length})};
}

}  // namespace

std::optional<Address> choose_ipv4_source(const std::map<int, MemoryInterface>& interfaces, const RouteEntry& route) {
  const auto found = interfaces.find(route.interface_index);
  if (found == interfaces.end()) return std::nullopt;
  std::optional<Address> first;
  for (const MemoryAddress& address : found->second.ipv4) {
    if (address.secondary || address.shown.scope > route.scope) continue;
    if (!route.via || address.prefix().contains(*route.via)) return address.prefix().address;
    if (!first) first = address.prefix().address;
  }
  if (first) return first;
  for (const auto& [index, interface] : interfaces) {
    if (auto address = of_another(interface, route.scope)) return address;
  }
  return std::nullopt;
}

std::optional<Address> choose_ipv6_source(const std::map<int, MemoryInterface>& interfaces, int interface_index,
                                          const Address& to) {
  const bool on_link = scope_of(to) <= 2;
  const MemoryAddress* best = nullptr;
  Score highest{};
  for (const auto& [index, interface] : interfaces) {
    if (on_link && index != interface_index) continue;
    for (const MemoryAddress& candidate : interface.ipv6) {
      const Score score = score_of(interface, candidate, interface_index, to);
      if (best != nullptr && score <= highest) continue;
      best = &candidate;
      highest = score;
    }
  }
  if (best == nullptr) return std::nullopt;
  return best->prefix().address;
}

}  // namespace net
