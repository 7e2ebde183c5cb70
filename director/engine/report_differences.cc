#include "director/engine/report_differences.h"

#include <fmt/format.h>

#include <utility>

namespace director {
namespace {

std::string down_here(const std::string& node, const std::string& here, const std::string& there) {
  return fmt::format(
      "down here ({}), up on {} ({}); the usual causes are a firewall or a cable between this node and the server",
      here, node, there);
}

std::string down_there(const std::string& node, const std::string& here, const std::string& there) {
  return fmt::format(
      "up here ({}), down on {} ({}); the usual causes are a firewall or a cable between {} and the server", here, node,
      there, node);
}

}  // namespace

void ReportDifferences::compare(const std::string& node, const std::string& service, const ServiceReport* own,
                                const ServiceReport* theirs, bool same_files, net::Instant now) {
  std::map<std::string, std::string> texts;  // by server
  std::string tables;
  if (own != nullptr && theirs != nullptr) {
    for (const auto& [server, down] : own->down) {
      const auto up = theirs->up.find(server);
      if (up != theirs->up.end()) texts[server] = down_here(node, down.reason, up->second);
    }
    for (const auto& [server, down] : theirs->down) {
      const auto up = own->up.find(server);
      if (up != own->up.end()) texts[server] = down_there(node, up->second, down.reason);
    }
    if (texts.empty() && same_files && own->table != theirs->table) {
      tables = own->table + " " + theirs->table;
      texts[""] = fmt::format(
          "the kernel's table on {} differs from this node's, and the cluster file does not: compare `ipvsctl -L -n`",
          node);
    }
  }
  const Key first{service, node, ""};
  for (auto each = differences_.lower_bound(first); each != differences_.end();) {
    const auto& [of_service, of_node, server] = each->first;
    if (of_service != service || of_node != node) break;
    const auto next = std::next(each);
    if (!texts.contains(server)) end(each);
    each = next;
  }
  for (auto& [server, text] : texts) {
    const auto [found, is_new] = differences_.try_emplace({service, node, server}, Difference{.since = now});
    auto& difference = found->second;
    if (!difference.told && server.empty() && difference.tables != tables) difference.since = now;
    difference.text = std::move(text);
    difference.tables = tables;
  }
}

void ReportDifferences::forget(const std::string& node) {
  for (auto each = differences_.begin(); each != differences_.end();) {
    const auto next = std::next(each);
    if (std::get<1>(each->first) == node) end(each);
    each = next;
  }
}

void ReportDifferences::end(const std::map<Key, Difference>::iterator& difference) {
  if (difference->second.told) ended_.push_back({.subject = subject_of(difference->first), .text = ""});
  differences_.erase(difference);
}

std::string ReportDifferences::subject_of(const Key& key) {
  const auto& [service, node, server] = key;
  return server.empty() ? "service " + service : fmt::format("server {}/{}", service, server);
}

std::vector<ReportDifferences::Notice> ReportDifferences::take_notices(net::Instant now) {
  auto notices = std::exchange(ended_, {});
  for (auto& [key, difference] : differences_) {
    const auto grace = std::get<2>(key).empty() ? tables_grace : checks_grace;
    if (difference.told || now - difference.since < grace) continue;
    difference.told = true;
    notices.push_back({.subject = subject_of(key), .text = difference.text});
  }
  return notices;
}

std::vector<ReportDifferences::Notice> ReportDifferences::lasting() const {
  std::vector<Notice> all;
  for (const auto& [key, difference] : differences_) {
    if (difference.told) all.push_back({.subject = subject_of(key), .text = difference.text});
  }
  return all;
}

}  // namespace director
