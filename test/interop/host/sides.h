#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/kernel_host.h"
#include "net/memory_host.h"
#include "net/virtual_clock.h"
#include "test/lab/topology.h"

/// The interfaces of a host under test: what else a kernel may have is left alone.
inline const std::vector<std::string> all_interfaces = {"lo", "eth0", "eth1", "mv1", "mv2"};

/// One of the two hosts that are to be the same, and what its world does to it.
class Side {
 public:
  virtual ~Side() = default;

  virtual net::Host& host() = 0;
  virtual net::Loop& loop() = 0;
  /// Of an interface; one that no interface has where it is not there.
  virtual int index_of(const std::string& interface) = 0;
  virtual void set_carrier(const std::string& interface, bool carrier) = 0;
  /// Whether an administrator could.
  virtual bool add_address(const std::string& interface, const net::Prefix& prefix) = 0;
  virtual bool add_default_route(const net::Address& via) = 0;

  /// The interfaces as a follower of them sees them after this turn of its loop.
  virtual std::string interfaces() = 0;
  /// Its own_routes(), sorted.
  std::string routes();
  std::string name_of(int index);

 protected:
  static std::string describe(const net::Links& links);
  static constexpr int none = 999;
};

/// In a namespace of its own, with eth0 and eth1, in which the thread stays while this lives.
class RealSide final : public Side {
 public:
  RealSide();

  net::Host& host() override { return host_; }
  net::Loop& loop() override { return loop_; }
  int index_of(const std::string& interface) override;
  void set_carrier(const std::string& interface, bool carrier) override;
  bool add_address(const std::string& interface, const net::Prefix& prefix) override;
  bool add_default_route(const net::Address& via) override;
  std::string interfaces() override;
  /// Another host, on both networks, with these addresses.
  lab::Host& add_neighbour(const std::vector<std::string>& on_eth0, const std::vector<std::string>& on_eth1);
  [[nodiscard]] net::Mac mac_of(const std::string& interface) const;

 private:
  lab::Topology topology_;
  lab::Host& there_ = topology_.add_host("h");
  lab::Within within_{there_.network};
  net::KernelHost host_;
  net::Loop loop_ = net::Loop::create().value();
  std::unique_ptr<net::Links> links_;
};

/// The same in memory. Time is the real side's.
class MemorySide final : public Side {
 public:
  explicit MemorySide(const RealSide& like);

  net::MemoryHost& host() override { return host_; }
  net::Loop& loop() override { return loop_; }
  int index_of(const std::string& interface) override;
  void set_carrier(const std::string& interface, bool carrier) override;
  bool add_address(const std::string& interface, const net::Prefix& prefix) override;
  bool add_default_route(const net::Address& via) override;
  std::string interfaces() override;

  void go_on() {
    clock_.advance_to(begin_ + (net::monotonic_now() - real_begin_));
    host_.expire();
  }

 private:
  net::VirtualClock clock_;
  net::Instant begin_ = clock_.now();
  net::Instant real_begin_ = net::monotonic_now();
  net::MemoryHost host_{clock_};
  net::Loop loop_ = net::Loop::create(clock_).value();
  std::unique_ptr<net::Links> links_;
};

/// The interfaces of a side once they are as expected, or after a while as they are then: of a few changes the kernel
/// tells a moment later.
std::string interfaces_like(Side& side, const std::string& expected);
