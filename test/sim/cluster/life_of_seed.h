#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>

#include "test/sim/cluster/life.h"
#include "test/sim/cluster/shop.h"
#include "test/sim/cluster/world.h"

namespace cluster_sim {

/// One life, as its seed wants it. What may befall it is in faults.cc.
class Life {
 public:
  Life(std::uint64_t seed, bool trace, Mutation mutation)
      : random_(seed), world_(random_shop([this](std::size_t bound) { return below(bound); }), seed, mutation, trace) {}

  Outcome run();

 private:
  struct Named {
    std::string service, server;
    [[nodiscard]] std::string both() const { return service + "/" + server; }
  };
  struct Deed {
    const char* name;
    bool (Life::*done)();  ///< false: there was nothing to do it to
  };

  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
  Duration between(std::chrono::milliseconds low, std::chrono::milliseconds high) {
    return low + std::chrono::milliseconds(below(static_cast<std::size_t>((high - low).count())));
  }
  Node* pick(const std::function<bool(Node&)>& fits);
  Node* running() {
    return pick([](const Node& node) { return node.runs(); });
  }
  config::Service& service() { return edited_.services[below(edited_.services.size())]; }
  /// After a while, or when peace comes.
  void later(std::function<void()> undo) {
    undo_.emplace(world_.now() + between(std::chrono::milliseconds(50), std::chrono::seconds(5)), std::move(undo));
  }

  void restart_later(Node& node) {
    later([this, &node] {
      if (!node.director) world_.start(node);
    });
  }

  bool crash();
  bool power_loss();
  bool disk_fills();
  bool disk_hangs();
  bool threads_fail();
  bool clock_step();
  bool stop();
  bool stall();
  bool replace();
  bool lose_gateway();
  bool partition();
  bool one_way_loss();
  bool link_down();
  bool server_dies();
  bool server_hangs();
  bool drain();
  bool weigh();
  bool fail_over();
  bool reload();
  bool bad_file();
  bool kernel_error();
  bool change_by_hand();
  bool take_address();
  bool clients_connect();
  bool clients_leave();
  bool refuse_addresses();
  bool stranger_speaks();
  bool lose_ip_vs();

  void go_on(Duration duration);
  void check_peace();
  void check_orders_agree();
  void check_reports_have_come();
  bool cut_off(bool both_ways);
  bool trouble(Behaviour behaviour);
  bool disk_trouble(Disk::Behaviour behaviour);
  Named server_of(const Node& node);

  std::mt19937_64 random_;
  World world_;
  config::Cluster edited_ = world_.file();
  std::multimap<Instant, std::function<void()>> undo_;
  std::map<std::string, int> befell_;
};

}  // namespace cluster_sim
