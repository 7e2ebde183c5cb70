#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "net/address.h"
#include "net/fd.h"
#include "net/time.h"
#include "test/lab/topology.h"

/// Hears every VRRP packet that a host's eth0 sends or receives, with the kernel's time of each: what the protocol did,
/// whenever a busy test comes to look.
class Ear {
 public:
  explicit Ear(const lab::Host& host);

  struct Advert {
    net::Instant at;
    net::Address source;
    std::uint8_t version = 0;
    std::uint8_t router_id = 0;
    std::uint8_t priority = 0;
  };
  /// All that was heard since this was made, in order.
  const std::vector<Advert>& heard();

  /// From the first farewell (priority 0) of who said one last to the first advert of its successor; nothing if none
  /// came.
  std::optional<net::Duration> handover();

 private:
  net::Fd socket_;
  std::vector<Advert> heard_;
};
