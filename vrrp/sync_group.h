#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "net/links.h"
#include "net/loop.h"
#include "net/sysctls.h"
#include "vrrp/desired_routers.h"
#include "vrrp/listener.h"
#include "vrrp/router.h"
#include "vrrp/shared_sockets.h"
#include "vrrp/sync_group_state.h"

namespace vrrp {

class SyncGroup;

/// What all sync groups of a node share. Routers owns it.
struct SharedContext {
  net::Loop& loop;
  net::Host& host;
  SharedSockets sockets;
  net::Sysctls sysctls;
  Listener& listener;
  std::unique_ptr<net::Links> links{};
  std::set<net::Address> virtual_addresses{};  ///< of all virtual routers
  std::optional<Identity> self{};              ///< this node, as it makes itself known
  std::string inhibit_reason{};                ///< why none becomes master yet; "": each may
  std::function<void()> on_group_stopped{};    ///< told later, not from within the group
};

/// What may fail while the protocol goes on.
enum class Operation : std::uint8_t { send, claim, yield, announce, route, separate };

/// A virtual router in the group that it belongs to.
struct GroupRouter {
  explicit GroupRouter(Router made) : router(std::move(made)) {}

  Router router;
  Conditions conditions{};
  SyncGroup* group = nullptr;
  std::map<Operation, std::string> failing{};       ///< and why
  std::map<RejectReason, Instant> last_reported{};  ///< when each kind was told of last
  std::optional<Instant> checksum_reported{};       ///< when another form of checksum was
};

/// Virtual routers that move together, or a single one: one machine and one timer for the routers on all links.
class SyncGroup {
 public:
  using Members = std::vector<std::unique_ptr<GroupRouter>>;

  /// `context` must outlive this.
  explicit SyncGroup(SharedContext& context) : context_(context) {}
  /// Like a crash: nothing is sent, and addresses stay.
  ~SyncGroup();
  SyncGroup(const SyncGroup&) = delete;
  SyncGroup& operator=(const SyncGroup&) = delete;

  [[nodiscard]] const Members& members() const { return members_; }

  // What it is made of. (sync_group_members.cc)

  /// Gives its members away, with what the group knows of their links, to be put together anew.
  struct DetachedMembers {
    Members routers;
    std::map<const GroupRouter*, MemberState> known;
  };
  [[nodiscard]] DetachedMembers detach_members();
  /// Takes these, in this order; of those that were not its own before it knows nothing yet.
  void attach_members(Members members, const std::map<const GroupRouter*, MemberState>& known);

  /// Begins: addresses that an earlier process left on an interface are adopted.
  void start();
  /// Goes on, after attach_members(), with these parameters of its members, in their order.
  void reconfigure(const std::vector<Spec>& specs, bool others);
  /// A router that leaves while the group, or its other routers, go on.
  void remove_member(GroupRouter& router);
  /// Removes the interfaces that its routers made for themselves.
  void remove_interfaces();

  // What it is told to do.

  /// Resigns where it is master, waits for the successor, takes its addresses away.
  void stop(const std::string& why);
  [[nodiscard]] bool is_stopped() const { return !group_.running && group_.machine.state == RouterState::initialize; }
  /// It may become master from now on.
  void end_inhibit(const std::string& why);
  /// Whether it can give the role away. Error: it is not master, or no other node can take over.
  [[nodiscard]] net::Result<> may_hand_over(const std::string& router) const;
  void hand_over();
  /// Renews what a master holds, and announces it.
  void renew();
  /// Brings itself in line with its routers' conditions; `cause` is why its priority changes, if it does.
  void apply_conditions(const std::string& cause);
  void apply_fault();
  void on_link_change(const std::string& interface);

  [[nodiscard]] Status status(const GroupRouter& router) const;

 private:
  [[nodiscard]] Config config() const;
  [[nodiscard]] std::string reason_of(std::string Conditions::* kind) const;
  void refresh(GroupRouter& router);
  [[nodiscard]] bool has_addresses_or_routes(const GroupRouter& router) const;
  [[nodiscard]] std::size_t index_of(const GroupRouter& router) const;
  void on_packets(GroupRouter& router);
  [[nodiscard]] std::vector<Router::Accepted> receive(GroupRouter& router);
  void hear(const GroupRouter& router, const std::vector<Router::Accepted>& accepted);
  void report_rejected(GroupRouter& it, const std::vector<Router::RejectedPacket>& rejected);
  void report_fault(const GroupRouter& it);
  void report_checksum(GroupRouter& it, const net::Address& source);
  void on_timer();
  void process(const SyncGroupEvent& event, const std::function<std::string()>& reason);
  net::Result<> perform(const std::vector<Action>& actions);
  net::Result<> perform(Action action);
  net::Result<> yield(GroupRouter& router);
  void remove_duplicates(GroupRouter& router);
  void announce();
  void arm();
  void notice(const Notice& what);
  net::Result<> record_result(GroupRouter& router, Operation operation, net::Result<> result);

  SharedContext& context_;
  Members members_;
  Config config_;
  SyncGroupState group_;
  Instant since_;
  std::string reason_;                    ///< why it is in its state
  std::string claim_error_;               ///< why the kernel refused its addresses, as long as it does
  std::optional<net::Address> resigned_;  ///< a master that resigned, until another is heard
  net::Loop::Id timer_ = 0, announce_timer_ = 0;
  std::size_t announced_ = 0;  ///< announcements made since the last Action::announce
};

}  // namespace vrrp
