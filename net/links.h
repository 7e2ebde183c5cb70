#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/error.h"
#include "net/loop.h"
#include "net/netlink.h"
#include "net/scope.h"

/// The kernel's network interfaces and their addresses, kept up to date by rtnetlink's notifications.
namespace net {

using Mac = std::array<std::byte, 6>;

struct InterfaceAddress {
  Prefix prefix;
  std::string label{};  ///< of IPv4: the interface's name, unless it was given another
  Scope scope = Scope::global;
  bool tentative = false;  ///< IPv6's duplicate address detection is not through with it, or found a duplicate

  auto operator<=>(const InterfaceAddress&) const = default;
};

struct Interface {
  int index = 0;  ///< another one once the interface was deleted and made anew
  std::string name;
  int lower_index = 0;     ///< of the interface that a VLAN or macvlan stands on; 0: none here
  bool up = false;         ///< administratively up, with a carrier
  std::optional<Mac> mac;  ///< if it has an Ethernet address
  std::vector<InterfaceAddress> addresses;

  /// The address as it is held; null if it is not there. Valid until the next turn of the loop.
  [[nodiscard]] const InterfaceAddress* find(const Prefix& prefix) const;
  [[nodiscard]] bool holds(const Prefix& prefix) const { return find(prefix) != nullptr; }

  bool operator==(const Interface&) const = default;
};

/// What an RTM_NEWLINK says of an interface, which is all but its addresses; nothing if it is no such message.
[[nodiscard]] std::optional<Interface> read_interface(const NetlinkMessage& message);

/// Not safe to move: the loop holds a reference while it lives.
class Links {
 public:
  /// Told after an interface, its state or its addresses changed. An interface renamed is one gone and one come.
  using OnChange = std::move_only_function<void(const std::string& name)>;

  /// Reads what there is, then follows it on `loop`, which outlives this. `on_change` is not called for what was there
  /// at first.
  static Result<std::unique_ptr<Links>> follow(Loop& loop, OnChange on_change);
  ~Links();
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;

  /// The interface as it is known now; valid until the next turn of the loop.
  [[nodiscard]] const Interface* find(std::string_view name) const;

  /// All of them by index; valid until the next turn of the loop.
  [[nodiscard]] const std::map<int, Interface>& interfaces() const { return interfaces_; }

 private:
  Links(Loop& loop, Netlink monitor, Netlink dumps, OnChange on_change);

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
