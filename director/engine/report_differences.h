#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "director/orders/report.h"
#include "net/time.h"

namespace director {

/// Where this node and another find or hold something else of one service, and since when. Pure.
class ReportDifferences {
 public:
  /// How long checks may find something else on two nodes, and tables differ, until it is told.
  static constexpr net::Duration checks_grace = std::chrono::seconds(30), tables_grace = std::chrono::seconds(60);

  /// What both say of a service, null where one says nothing. Tables are not compared where cluster files differ.
  void compare(const std::string& node, const std::string& service, const ServiceReport* own,
               const ServiceReport* theirs, bool same_files, net::Instant now);
  /// It has said all anew, or is out of reach.
  void forget(const std::string& node);

  struct Notice {
    std::string subject;  ///< "server web/web1", "service web"
    std::string text;     ///< what differs; empty: nothing any more
  };
  /// What is to be reported now: a difference that has lasted, and its end; each once.
  [[nodiscard]] std::vector<Notice> take_notices(net::Instant now);
  /// Those that were reported and last.
  [[nodiscard]] std::vector<Notice> lasting() const;

 private:
  using Key = std::tuple<std::string, std::string, std::string>;  ///< service, node, server or ""
  struct Difference {
    std::string text{};
    std::string tables{};  ///< of tables: both digests, which begin a new difference
    net::Instant since{};
    bool told = false;
  };
  [[nodiscard]] static std::string subject_of(const Key& key);
  void end(const std::map<Key, Difference>::iterator& difference);

  std::map<Key, Difference> differences_;
  std::vector<Notice> ended_;
};

}  // namespace director
