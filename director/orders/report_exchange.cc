#include "director/orders/report_exchange.h"

#include <utility>

namespace director {

bool ReportExchange::set_node(NodeReport node) {
  if (node == node_) return false;
  node_ = std::move(node);
  for (auto& [session, connection] : connections_) connection.has_node = false;
  return true;
}

bool ReportExchange::set_service(const std::string& name, std::optional<ServiceReport> service) {
  const auto known = services_.find(name);
  if (!service) {
    if (known == services_.end()) return false;
    services_.erase(known);
  } else if (known == services_.end()) {
    if (services_.size() == services_max) return false;
    services_.emplace(name, *std::move(service));
  } else {
    if (known->second == *service) return false;
    known->second = *std::move(service);
  }
  for (auto& [session, connection] : connections_) connection.left.insert(name);
  return true;
}

void ReportExchange::open(Session session) {
  auto& left = connections_[session].left;
  for (const auto& [name, service] : services_) left.insert(left.end(), name);
}

void ReportExchange::close(Session session) {
  connections_.erase(session);
  std::erase_if(peers_, [&](const auto& peer) { return peer.second.session == session; });
}

std::optional<Reports> ReportExchange::next(Session session) {
  const auto found = connections_.find(session);
  if (found == connections_.end()) return std::nullopt;
  auto& connection = found->second;
  if (connection.has_node && connection.left.empty()) return std::nullopt;
  Reports reports{.services = take_services(connection.left)};
  if (!std::exchange(connection.has_node, true)) reports.node = node_;
  return std::optional<Reports>(std::in_place, std::move(reports));
}

std::map<std::string, std::optional<ServiceReport>> ReportExchange::take_services(std::set<std::string>& left) const {
  std::map<std::string, std::optional<ServiceReport>> services;
  for (std::size_t bytes = 0; !left.empty() && bytes < services_bytes;) {
    const auto name = left.extract(left.begin()).value();
    const auto known = services_.find(name);
    auto& report = services[name];
    if (known != services_.end()) report = known->second;
    bytes += message_bytes(name, report);
  }
  return services;
}

net::Result<> ReportExchange::receive(Session session, const std::string& node, Reports reports) {
  if (reports.empty()) return {};
  auto& peer = peers_[node];
  if (peer.session != session) peer = {.session = session};
  if (reports.node) peer.node = *std::move(reports.node);
  for (auto& [name, service] : reports.services) {
    if (service)
      peer.services.insert_or_assign(name, *std::move(service));
    else
      peer.services.erase(name);
  }
  if (peer.services.size() > services_max)
    return net::failure("message of reports: more services than a node may have");
  return {};
}

}  // namespace director
