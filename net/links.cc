#include "net/links.h"

#include <algorithm>

namespace net {

const InterfaceAddress* Interface::find(const Prefix& prefix) const {
  const auto found = std::ranges::find(addresses, prefix, &InterfaceAddress::prefix);
  return found == addresses.end() ? nullptr : &*found;
}

const Interface* Links::find(std::string_view name) const {
  const auto found =
      std::ranges::find(interfaces(), name, [](const auto& entry) { return std::string_view(entry.second.name); });
  return found == interfaces().end() ? nullptr : &found->second;
}

}  // namespace net
