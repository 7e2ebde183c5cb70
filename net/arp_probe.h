#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "net/address.h"
#include "net/error.h"
#include "net/fd.h"
#include "net/links.h"

/// Who on a link answers for an IPv4 address (RFC 5227 section 1.1, ARP Probe): nobody's table is changed by asking.
namespace net {

/// The frame: a request for `address` whose sender's protocol address is zero.
[[nodiscard]] std::vector<std::byte> arp_probe(const Mac& mac, const Address& address);

/// Who says in a frame that `address` is his; nothing if the frame is something else.
[[nodiscard]] std::optional<Mac> arp_answer(std::span<const std::byte> frame, const Address& address);

/// A question that is under way. The kernel never asks itself: this host does not answer.
class ArpProbe {
 public:
  /// Errors: EPERM: the process lacks CAP_NET_RAW; the interface has no Ethernet address, or is down.
  static Result<ArpProbe> ask(const Interface& interface, const Address& address);

  /// Who has answered up to now, each once; does not wait.
  [[nodiscard]] std::vector<Mac> answers();

 private:
  ArpProbe(Fd socket, const Address& address) : socket_(std::move(socket)), address_(address) {}

  Fd socket_;
  Address address_;
  std::vector<Mac> answers_;
};

}  // namespace net
