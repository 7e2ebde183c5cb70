#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/scope.h"

/// The host's network interfaces and their addresses.
namespace net {

using Mac = std::array<std::byte, 6>;

/// "00:00:5e:00:01:33".
[[nodiscard]] std::string to_string(const Mac& mac);

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
  int lower_index = 0;     ///< of the interface below a VLAN or macvlan; 0: none here
  int vrf_index = 0;       ///< of the VRF that it belongs to, of a VRF its own; 0: none
  bool up = false;         ///< administratively up, with a carrier
  std::optional<Mac> mac;  ///< if it has an Ethernet address
  std::vector<InterfaceAddress> addresses;
  std::vector<std::string> altnames{};  ///< further names, up to 127 bytes each

  /// Whether that is its name, or one of its further names.
  [[nodiscard]] bool is_called(std::string_view other) const;

  /// The address as it is there; null if it is not there. Valid until the next turn of the loop.
  [[nodiscard]] const InterfaceAddress* find(const Prefix& prefix) const;
  [[nodiscard]] bool has(const Prefix& prefix) const { return find(prefix) != nullptr; }

  bool operator==(const Interface&) const = default;
};

/// The names of the interfaces that differ, by index: all of each, of a renamed one the old and the new.
[[nodiscard]] std::set<std::string> changed_names(const std::map<int, Interface>& before,
                                                  const std::map<int, Interface>& after);

/// All interfaces, kept up to date; whoever makes one (Host) says what is told of them.
class Links {
 public:
  /// Told after an interface, its state or its addresses changed, once for each of its names. An interface renamed is
  /// one gone and one come. Not called for what was there at first.
  using OnChange = std::move_only_function<void(const std::string& name)>;

  virtual ~Links() = default;

  /// The interface as it is known now, by its name or a further one; valid until the next turn of the loop.
  [[nodiscard]] const Interface* find(std::string_view name) const;
  [[nodiscard]] const Interface* find(int index) const;

  /// All of them by index; valid until the next turn of the loop.
  [[nodiscard]] virtual const std::map<int, Interface>& interfaces() const = 0;
};

}  // namespace net
