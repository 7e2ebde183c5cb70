#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "net/address.h"
#include "vrrp/sync_group_state.h"

/// A few routers on a few links in virtual time: the real machine, group and codec, a made-up network and kernel.
namespace sim {

using vrrp::Duration;
using vrrp::Instant;

/// A rule was broken. The seed of the life that broke it replays it.
struct Violation {
  Instant at;
  std::string what;
};

/// What can be wrong with a router on purpose, to show that the simulator notices.
struct Mutation {
  std::string rule;  ///< the rule it breaks
  std::function<vrrp::SyncGroupStep(const vrrp::Config&, const vrrp::SyncGroupState&, const vrrp::SyncGroupEvent&,
                                    Instant)>
      step = [](const auto& config, const auto& group, const auto& event, Instant now) {
        return vrrp::step(config, group, event, now);
      };
  std::function<bool(vrrp::Action, std::size_t member)> performs = [](vrrp::Action, std::size_t) { return true; };
};

struct RouterSetup {
  vrrp::Config config;
  std::vector<net::Address> addresses;  ///< its own on each link
};

struct Setup {
  std::vector<RouterSetup> routers;
  std::size_t links = 1;
};

/// How the network treats packets just now.
struct Weather {
  double loss = 0;
  double duplication = 0;
  double corruption = 0;  ///< a bit flipped on the way
  Duration min_delay{};
  Duration max_delay{};
  bool in_order = false;  ///< what one router sends to another arrives as it was sent, whatever the link
};

/// How a router exists just now.
enum class Life : std::uint8_t {
  dead,     ///< no process; its kernel lives on
  running,  ///< as it should
  stopped,  ///< SIGSTOP: packets wait in its sockets
  frozen,   ///< its whole machine stands still: packets are lost
};

struct Router {
  RouterSetup setup;
  Life life = Life::dead;
  vrrp::SyncGroupState group;
  std::vector<std::uint8_t> link_up;
  std::vector<Instant> address_until;  ///< when the kernel removes the address of each link; long ago if it has none
  std::uint64_t timer = 0;             ///< the generation of its only timer
  struct Waiting {
    std::size_t link;
    std::size_t from;
    std::vector<std::byte> bytes;
  };
  std::vector<Waiting> inbox;    ///< while stopped
  Duration followed_interval{};  ///< Master_Adver_Interval as a bystander computes it
  Instant master_not_before{};   ///< Master_Down_Timer as a bystander computes it
  Instant preempts_from{};       ///< preempt_delay as a bystander computes it
  bool refused = false;          ///< its kernel takes no addresses
  bool stopping = false;         ///< was told to stop
  bool faulted = false;          ///< was told that it is of no use
  bool inhibited = false;        ///< may not become master
  Instant claimed{};             ///< at its start: when its earlier life claimed its addresses, if they are there
};

class World {
 public:
  /// `mutation` outlives the world. With `trace` it prints the life as it goes.
  World(const Setup& setup, std::uint64_t seed, const Mutation& mutation, bool trace);

  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] const std::vector<Router>& routers() const { return routers_; }
  [[nodiscard]] std::size_t links() const { return links_; }
  [[nodiscard]] int transitions() const { return transitions_; }

  /// Lets time pass. Throws Violation.
  void run(Duration duration);

  void start(std::size_t router, bool inhibited = false);
  void stop(std::size_t router);  ///< politely; it dies when it has stopped
  void hand_over(std::size_t router);
  void set_inhibited(std::size_t router, bool inhibited);
  void refuse(std::size_t router, bool refused);
  void fault(std::size_t router, bool faulted);
  void reconfigure(std::size_t router, const vrrp::Config& config);
  void crash(std::size_t router);
  void halt(std::size_t router, Life how);  ///< stopped or frozen
  void resume(std::size_t router);
  void set_link(std::size_t router, std::size_t link, bool up);
  void cut(std::size_t link, std::size_t from, std::size_t to, bool is_cut);
  void mend_all_cuts();
  void set_weather(const Weather& weather) { weather_ = weather; }

  [[nodiscard]] bool is_master(std::size_t router) const;
  [[nodiscard]] bool is_able(std::size_t router) const;  ///< runs, with nothing in its way
  [[nodiscard]] bool holds(std::size_t router, std::size_t link) const;
  /// Who announced a link's addresses last: whom its neighbours send to.
  /// Whom the neighbours on a link send to; nothing where they may have heard nobody who is there.
  [[nodiscard]] std::optional<std::size_t> announcer(std::size_t link) const { return announcers_[link]; }
  [[nodiscard]] std::vector<std::size_t> masters() const;

  /// Prints a line of the trace.
  void say(std::optional<std::size_t> router, const std::string& text) const;

 private:
  struct Wake {
    std::size_t router;
    std::uint64_t generation;
  };
  struct Packet {
    std::size_t link;
    std::size_t from;
    std::size_t to;
    std::vector<std::byte> bytes;
  };
  struct Happening {
    Instant at;
    std::uint64_t order;
    std::variant<Wake, Packet> what;
  };

  void schedule(Instant at, std::variant<Wake, Packet> what);
  void happen(const Wake& wake);
  void happen(const Packet& packet);
  void receive(std::size_t router, std::size_t link, std::size_t from, std::span<const std::byte> bytes);
  void feed(std::size_t router, const vrrp::SyncGroupEvent& event);
  bool perform(std::size_t router, const std::vector<vrrp::Action>& actions);
  void perform(std::size_t router, vrrp::Action action);
  void fall_silent(std::size_t router, std::size_t link);
  void send(std::size_t router, std::size_t link, std::uint8_t priority);
  void expire_if_due(std::size_t router);
  void arm(std::size_t router);
  void check(std::size_t router, const vrrp::SyncGroupState& before, const vrrp::SyncGroupEvent& event);
  bool check_timer(std::size_t router, const vrrp::SyncGroupState& before, const vrrp::SyncGroupEvent& event);
  [[nodiscard]] bool is_next(std::size_t router, const vrrp::MemberHeard& farewell) const;
  [[noreturn]] void violate(std::size_t router, const std::string& what) const;
  bool chance(double probability);
  Duration random_duration(Duration low, Duration high);

  std::vector<Router> routers_;
  std::size_t links_;
  std::vector<std::uint8_t> cuts_;                      ///< by link, from, to
  std::vector<Instant> last_arrival_;                   ///< by from, to
  std::vector<std::optional<std::size_t>> announcers_;  ///< by link
  Weather weather_;
  const Mutation& mutation_;
  bool trace_;
  std::mt19937_64 random_;
  Instant now_{std::chrono::hours(1)};
  std::uint64_t order_ = 0;
  std::vector<Happening> queue_;  ///< a heap, earliest first
  int transitions_ = 0;
};

}  // namespace sim
