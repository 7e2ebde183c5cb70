#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "director/orders/report.h"
#include "net/error.h"

namespace director {

/// What this node tells the others of itself, and what each has told: over each connection all of it once, then what
/// changes. Pure.
class ReportExchange {
 public:
  using Session = std::uint64_t;  ///< as OrderExchange::Session

  /// How many bytes of services go into one message.
  static constexpr std::size_t services_bytes = std::size_t{24} << 10;
  /// Of how many services a node tells, and is heard.
  static constexpr std::size_t services_max = 65'536;

  /// What there is to tell from now on. True: it is new.
  bool set_node(NodeReport node);
  /// Nothing: the service is gone.
  bool set_service(const std::string& name, std::optional<ServiceReport> service);

  void open(Session session);
  void close(Session session);

  /// The next part for a connection; nothing: it has been told all.
  [[nodiscard]] std::optional<Reports> next(Session session);

  /// What `node` says over a connection. Error: more than a node may have.
  net::Result<> receive(Session session, const std::string& node, Reports reports);

  /// What another node, with which there is a connection, has said.
  struct Peer {
    Session session = 0;
    NodeReport node{};
    std::map<std::string, ServiceReport> services{};
  };
  [[nodiscard]] const std::map<std::string, Peer>& peers() const { return peers_; }
  [[nodiscard]] const std::map<std::string, ServiceReport>& own_services() const { return services_; }

 private:
  struct Connection {
    bool has_node = false;
    std::set<std::string> left{};  ///< services to be told of
  };
  /// The next of those that are to be told of.
  [[nodiscard]] std::map<std::string, std::optional<ServiceReport>> take_services(std::set<std::string>& left) const;

  NodeReport node_;
  std::map<std::string, ServiceReport> services_;
  std::map<Session, Connection> connections_;
  std::map<std::string, Peer> peers_;
};

}  // namespace director
