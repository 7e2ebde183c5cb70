#pragma once

#include <string>
#include <vector>

/// What the kernel must be told so that answers of a server to a probe `via: vip` reach the director while it holds
/// the virtual address itself: their source is then an address of this host. Pure. (IPv6 has no such settings.)
namespace director {

/// Of `all` and of one interface, as /proc/sys/net/ipv4/conf spells them.
struct PathSettings {
  std::string accept_local_all, accept_local;
  std::string rp_filter_all, rp_filter;
};

/// A setting of the interface to be changed.
struct Setting {
  std::string name;  ///< "accept_local"
  std::string value;

  auto operator<=>(const Setting&) const = default;
};

/// What to change, if anything. accept_local must be 1 in either place. The effective rp_filter is the greater of the
/// two, and 1 (strict) drops the answers; 2 (loose) and 0 do not.
[[nodiscard]] std::vector<Setting> needed(const PathSettings& now);

}  // namespace director
