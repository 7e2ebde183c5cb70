#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/time.h"
#include "vrrp/hello.h"

namespace director {

/// Whether the directors of a cluster have the same cluster file in force and run the same program, as far as they have
/// told each other. Pure: what they say and the time go in, sentences come out.
class Agreement {
 public:
  /// How long others may differ before that is reported: a new file reaches one director after the other.
  static constexpr net::Duration grace = std::chrono::seconds(10);

  struct Other {
    vrrp::Identity identity;
    net::Address address;              ///< where it spoke from last
    std::set<net::Address> addresses;  ///< where it has spoken from: one for each network, and no more than a few
    net::Instant heard;
    std::optional<net::Instant> differs_since;
    bool reported = false;  ///< the difference was reported
  };

  /// This node, as it is from now on.
  void set_own(vrrp::Identity own, net::Instant now);
  /// Another has said who it is.
  void update_peer(vrrp::Identity other, const net::Address& from, net::Instant now);

  struct Notice {
    std::string node;
    bool differs = false;
    std::string text;  ///< "has another cluster file in force: ...", "has the same ... again"
  };
  /// What is to be reported now: a difference that has lasted, and its end; each once.
  [[nodiscard]] std::vector<Notice> take_notices(net::Instant now);
  /// When there will be a notice unless something is heard first.
  [[nodiscard]] std::optional<net::Instant> deadline() const;

  /// How `other` differs from this node: "has another cluster file in force: 0123456789abcdef, here it is ..."; "" if
  /// it does not.
  [[nodiscard]] std::string difference(const Other& other) const;

  [[nodiscard]] const vrrp::Identity& own() const { return own_; }
  [[nodiscard]] const std::map<std::string, Other>& others() const { return others_; }  ///< by node; a few dozen

 private:
  void compare(Other& other, net::Instant now) const;

  vrrp::Identity own_;
  std::map<std::string, Other> others_;
};

/// "0123456789abcdef".
[[nodiscard]] std::string to_string(const vrrp::Digest& digest);

}  // namespace director
