#pragma once

#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "net/links.h"
#include "net/loop.h"
#include "net/raw_socket.h"
#include "net/route_table.h"
#include "net/sysctls.h"
#include "vrrp/challenges.h"
#include "vrrp/hello.h"
#include "vrrp/sequences.h"
#include "vrrp/shared_sockets.h"
#include "vrrp/signature.h"
#include "vrrp/status.h"
#include "vrrp/sync_group_state.h"

namespace net {
class Host;
}  // namespace net

namespace vrrp {

/// One virtual router on its link: its port, its addresses, its counters. It decides nothing. Its fields are many for
/// what refresh() has found together, and for what is remembered of peers.
class Router {
 public:
  /// Told that adverts have arrived. Called from the loop.
  using OnReady = std::move_only_function<void()>;

  /// `loop`, `host` and `sockets` must outlive this; `host` is open.
  Router(net::Loop& loop, net::Host& host, SharedSockets& sockets, Spec spec)
      : loop_(&loop), host_(&host), sockets_(&sockets), spec_(std::move(spec)) {}

  /// Takes the interface as it is now, or none, and makes one for its addresses where they have one of their own: its
  /// socket is open while there is no fault(). `virtual_addresses` are all virtual addresses of this node, from which
  /// no socket ever sends. Error: a setting that its own interface needs could not be made, which is no fault.
  net::Result<> refresh(const net::Links& links, net::Sysctls& sysctls, const std::set<net::Address>& virtual_addresses,
                        OnReady on_ready);

  /// Why it cannot take part: "link eth0 is down"; "" if it can.
  [[nodiscard]] const std::string& fault() const { return fault_; }

  void close();

  /// Removes the interface of its own. It is not refreshed again.
  net::Result<> remove_interface();

  /// Is another from now on, of the same router_id, interface and family; addresses that it no longer has go.
  net::Result<> change(Spec spec);

  /// One that is no master any more says so without the virtual MAC: the switches know whose that is.
  net::Result<> send(std::uint8_t priority, bool as_master);
  /// An owner's addresses are there for good: nothing is done with them.
  net::Result<> claim(std::chrono::seconds lease);
  net::Result<> yield();
  net::Result<> announce();
  /// Removes what others have set: its addresses with another prefix length, which would stay when its own go. Returns
  /// those that it has removed.
  std::vector<net::Prefix> remove_duplicates();

  /// Its routes as the kernel knows them, but those whose interface is missing.
  [[nodiscard]] std::vector<net::RouteEntry> routes(const net::Links& links) const;
  net::Result<> set_routes(const net::Links& links, std::chrono::seconds lease);
  net::Result<> drop_routes(const net::Links& links);

  /// The Ethernet address that neighbours have for its addresses; none without one.
  [[nodiscard]] std::optional<net::Mac> mac() const {
    return address_interface_ ? address_interface_->mac : std::nullopt;
  }
  /// Whether the kernel still has every address that was claimed.
  [[nodiscard]] bool has_all_addresses() const;
  /// Whether it has any, or the interface made for them is up.
  [[nodiscard]] bool has_any_address() const {
    return !present_addresses().empty() || !duplicates().empty() ||
           (spec_.virtual_mac && address_interface_ && address_interface_->up);
  }
  [[nodiscard]] std::vector<net::Prefix> present_addresses() const;
  /// When all addresses that are there were claimed last, for `lease`; nothing if one is missing or was claimed
  /// otherwise.
  [[nodiscard]] std::optional<Instant> claimed(std::chrono::seconds lease) const;

  /// Adverts that concern the machine, with who sent them.
  struct Accepted {
    net::Address source;
    Heard heard;
  };
  struct RejectedPacket {
    net::Address source;
    RejectReason reason;
  };
  struct PeerIdentity {
    net::Address source;
    Identity identity;
  };
  /// What a node is sent, beside the answers to its own questions.
  enum class Question : std::uint8_t {
    plain,      ///< who it is
    challenge,  ///< that, and a proof that it is of now
    doubt,      ///< the same, soon: what it has sent does not show it
  };
  /// What has arrived, checked and counted.
  struct Received {
    std::vector<Accepted> accepted{};
    std::vector<RejectedPacket> rejected{};
    std::vector<PeerIdentity> identities{};
    /// Whose checksum is of the other form, which is sent from now on.
    std::optional<net::Address> other_checksum{};
    std::map<net::Address, Question> questions{};  ///< to whom packets gave cause for one
  };
  /// With a `self`, and where it signs, it makes that known to who signs too, and asks the same of masters. Adverts
  /// that may be old ones wait for their sender's answer; without a `self` they are accepted as is_new() has it.
  Received receive(Instant now, const std::optional<Identity>& self);

  [[nodiscard]] const Spec& spec() const { return spec_; }
  [[nodiscard]] const std::optional<net::Address>& source() const { return source_; }
  [[nodiscard]] const std::vector<Peer>& peers() const { return peers_; }
  /// Of the IPv4 adverts that it sends.
  [[nodiscard]] Checksum checksum() const { return spec_.checksum.value_or(checksum_); }
  [[nodiscard]] const std::optional<RejectedAdvert>& last_rejected() const { return last_rejected_; }
  [[nodiscard]] Counters counters() const;

 private:
  [[nodiscard]] net::Result<std::optional<net::Interface>> find_address_interface(const net::Links& links) const;
  std::string open(const net::Links& links, const std::set<net::Address>& virtual_addresses, OnReady on_ready);
  [[nodiscard]] std::string missing_own_address() const;
  std::string open_port(const net::Links& links, const net::Interface& holder, OnReady on_ready);
  [[nodiscard]] std::vector<std::byte> packet_of(const Advert& advert, const Path& path);
  [[nodiscard]] bool reaches(const net::Address& address) const;
  [[nodiscard]] std::string interface_of(const VirtualRoute& route) const;
  [[nodiscard]] std::vector<net::Prefix> duplicates() const;
  [[nodiscard]] bool needs_prefix_route(const net::Prefix& prefix) const;

  // What it receives (router_received.cc).
  /// An advert, and what its trailer said.
  struct Checked {
    Advert advert;
    VerifiedPacket packet;
  };
  void receive_advert(const net::RawSocket::Packet& packet, bool can_ask, Instant now, Received& received);
  [[nodiscard]] std::expected<Checked, RejectReason> check(const net::RawSocket::Packet& packet) const;
  [[nodiscard]] std::expected<Checked, RejectReason> read(const net::RawSocket::Packet& packet) const;
  [[nodiscard]] bool may_send(const net::Address& source) const;
  void accept(const net::Address& source, const Advert& advert, Instant now, Received& received);
  void reject(const net::Address& source, RejectReason reason, Received& received);
  void follow_checksum(const net::RawSocket::Packet& packet, const Checked& checked, Received& received);
  void note_peer(const net::Address& source, const Advert& advert, Instant now);
  [[nodiscard]] bool is_known(const net::Address& source) const;
  [[nodiscard]] std::size_t common_addresses(const Advert& advert) const;

  // What is signed (router_signed.cc).
  [[nodiscard]] bool signs() const;
  void judge(const net::Address& source, Checked checked, bool can_ask, Instant now, Received& received);
  void refuse_replay(const net::Address& source, Instant now, Received& received);
  void send_questions(const std::map<net::Address, Question>& questions, const Identity& self, Instant now);
  void send_hello(const net::Address& other, const Hello& hello);
  void receive_hello(const net::RawSocket::Packet& packet, const Identity* self, Instant now, Received& received);
  void note_answer(const net::Address& source, std::uint64_t sequence, Instant now, Received& received);
  [[nodiscard]] std::expected<VerifiedPacket, RejectReason> check_hello(const net::RawSocket::Packet& packet) const;
  [[nodiscard]] std::uint64_t time_of_day() const;
  [[nodiscard]] std::uint64_t next_sequence();

  net::Loop* loop_;
  net::Host* host_;
  SharedSockets* sockets_;
  Spec spec_;
  std::optional<net::Interface> interface_;          ///< where it sends adverts
  std::optional<net::Interface> address_interface_;  ///< where its addresses are; there is none without the other
  std::optional<net::Address> source_;
  std::string vrf_;  ///< to which the port is bound; "": none
  std::string fault_;
  std::unique_ptr<SharedSockets::Port> port_;
  std::unique_ptr<net::RawSocket> sender_;  ///< with a virtual MAC: adverts leave by the interface that has it
  std::vector<Peer> peers_;
  std::optional<RejectedAdvert> last_rejected_;
  Checksum checksum_ = Checksum::rfc5798;  ///< what its peers send, where the spec does not say it
  Sequences sequences_;
  Challenges challenges_;
  Counters counters_;  ///< what the port counts: of those that are closed
};

}  // namespace vrrp
