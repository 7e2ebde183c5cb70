#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "net/error.h"
#include "net/links.h"
#include "net/loop.h"
#include "net/netlink.h"

namespace net {

/// What an RTM_NEWLINK says of an interface, which is all but its addresses; nothing if it is no such message.
[[nodiscard]] std::optional<Interface> read_interface(const NetlinkMessage& message);

/// The kernel's, kept up to date by rtnetlink's notifications. Not safe to move: the loop holds a reference while it
/// lives.
class KernelLinks final : public Links {
 public:
  /// Reads what there is, then follows it on `loop`, which outlives this.
  static Result<std::unique_ptr<Links>> follow(Loop& loop, OnChange on_change);
  ~KernelLinks() override;
  KernelLinks(const KernelLinks&) = delete;
  KernelLinks& operator=(const KernelLinks&) = delete;

  [[nodiscard]] const std::map<int, Interface>& interfaces() const override { return interfaces_; }

 private:
  KernelLinks(Loop& loop, Netlink monitor, Netlink dumps, OnChange on_change);

  Result<> read_all();
  Result<> dump(std::uint16_t type);
  void on_ready();
  void read_anew();
  void on_message(const NetlinkMessage& message);
  void on_link(const NetlinkMessage& message);
  void on_address(const NetlinkMessage& message);
  void tell(const std::map<int, Interface>& before);

  Loop& loop_;
  Netlink monitor_;
  Netlink dumps_;
  OnChange on_change_;
  Loop::Id watch_ = 0;
  Loop::Id retry_timer_ = 0;
  std::map<int, Interface> interfaces_;  ///< by index
};

}  // namespace net
