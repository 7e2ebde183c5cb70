#pragma once

#include <cstdint>

#include "ipvs/family_resolver.h"
#include "ipvs/kernel.h"
#include "net/netlink.h"

namespace ipvs {

/// The kernel's own table, over generic netlink. Changes go through one long-lived socket, many a send; questions
/// through a second one, since a dump that is still open blocks others on its socket.
///
/// Sockets belong to the network namespace in which open() was called, and so does everything done through them.
class NetlinkKernel final : public Kernel {
 public:
  /// Asks the kernel to load ip_vs if it is not there. Error ENOENT: it could not.
  static net::Result<NetlinkKernel> open();

  net::Result<std::vector<RefusedOp>> apply(std::span<const Op> ops) override;
  net::Result<std::vector<ServiceRow>> services() override;
  net::Result<std::optional<ServiceRow>> service(const ServiceKey& key) override;
  net::Result<std::vector<DestinationRow>> destinations(const ServiceKey& key) override;
  net::Result<std::vector<Daemon>> daemons() override;
  net::Result<Timeouts> timeouts() override;
  net::Result<Info> info() override;
  net::Result<> reopen() override;

 private:
  NetlinkKernel(net::Netlink writes, net::Netlink reads, std::uint16_t family)
      : writes_(std::move(writes)), reads_(std::move(reads)), family_(family) {}

  net::Netlink writes_;
  net::Netlink reads_;
  std::uint16_t family_;
  FamilyResolver resolver_;
  net::NetlinkBatch batch_;  ///< reused: its memory is that of the largest batch so far
};

}  // namespace ipvs
