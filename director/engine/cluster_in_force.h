#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/cluster.h"
#include "ipvs/types.h"

namespace director {

/// A server of a service, wherever it stands in the cluster file and whatever it is called there.
struct ServerKey {
  ipvs::ServiceKey service;
  net::Endpoint server;

  auto operator<=>(const ServerKey&) const = default;
};

/// The cluster file that is in force and this node's part in it: what is where in it. Pointers into it hold until
/// replace().
class ClusterInForce {
 public:
  ClusterInForce(config::Cluster cluster, config::Node node);

  [[nodiscard]] const config::Cluster& cluster() const { return *cluster_; }
  /// For a thread, which may read it for as long as it likes.
  [[nodiscard]] std::shared_ptr<const config::Cluster> shared() const { return cluster_; }
  [[nodiscard]] const config::Node& node() const { return node_; }

  /// The services that `next` says something else of, new ones among them, and those that it does not have.
  struct Differences {
    std::vector<ipvs::ServiceKey> changed, gone;
  };
  [[nodiscard]] Differences differences(const config::Cluster& next) const;
  /// `differences` are those of `next`.
  void replace(config::Cluster next, config::Node node, const Differences& differences);

  /// Null where the file does not have it.
  [[nodiscard]] const config::Service* find(const ipvs::ServiceKey& key) const;
  [[nodiscard]] const config::Service* find(std::string_view service) const;
  [[nodiscard]] const config::Server* find(const ServerKey& key) const;
  [[nodiscard]] std::optional<ServerKey> find(std::string_view service, std::string_view server) const;

  /// What the file has.
  [[nodiscard]] const config::Service& at(const ipvs::ServiceKey& key) const;
  [[nodiscard]] const config::Server& at(const ServerKey& key) const;

  [[nodiscard]] bool has(const ipvs::ServiceKey& key) const { return places_.contains(key); }
  [[nodiscard]] std::size_t services() const { return places_.size(); }
  /// The service whose key follows on `key`, or the first; nothing: there is none.
  [[nodiscard]] std::optional<ipvs::ServiceKey> after(const std::optional<ipvs::ServiceKey>& key) const;

  /// "web/web1".
  [[nodiscard]] std::string name_of(const ServerKey& key) const;

 private:
  struct Place {
    std::size_t service = 0;
    std::map<net::Endpoint, std::size_t> servers;
  };

  std::shared_ptr<const config::Cluster> cluster_;
  config::Node node_;
  std::map<ipvs::ServiceKey, Place> places_;
};

}  // namespace director
