#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "net/fd.h"
#include "net/links.h"
#include "net/loop.h"
#include "net/memory_network.h"

namespace net {

/// A follower of a MemoryNetwork: it shows what was there at its last notification.
class MemoryLinks final : public Links {
 public:
  struct Host {
    const MemoryNetwork& network;
    std::function<void()> refresh;                     ///< brings the network up to the present
    std::function<void(const MemoryLinks&)> on_close;  ///< called while the follower is destroyed
  };

  /// The host's network and `loop` outlive it.
  static Result<std::unique_ptr<MemoryLinks>> follow(Loop& loop, Host host, OnChange on_change);
  ~MemoryLinks() override;
  MemoryLinks(const MemoryLinks&) = delete;
  MemoryLinks& operator=(const MemoryLinks&) = delete;

  [[nodiscard]] const std::map<int, Interface>& interfaces() const override { return interfaces_; }

  /// Something may have changed: it looks in its loop's next turn.
  void notify();

 private:
  MemoryLinks(Loop& loop, Host host, OnChange on_change, Fd notice);

  void on_notice();
  void update();

  Loop& loop_;
  Host host_;
  OnChange on_change_;
  Fd notice_;
  Loop::Id watch_ = 0;
  std::map<int, Interface> interfaces_;
  std::map<int, std::vector<std::uint64_t>> order_;  ///< of each one's addresses, by their serial
};

}  // namespace net
