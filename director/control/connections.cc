#include "director/control/connections.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "net/check.h"

namespace director {
namespace {

constexpr std::string_view known_client = "a client that sends or is worked for is connected";

}  // namespace

void Connections::open(int fd, net::Instant now) { clients_[fd] = {.since = now, .order = ++last_}; }

bool Connections::take_body(int fd, std::size_t bytes) {
  std::size_t all = bytes;
  for (const auto& [other, client] : clients_) all += client.body;
  auto& body = net::must_find(clients_, fd, known_client).body;
  if (all > limits_.request_bytes) {
    body = 0;
    return false;
  }
  body += bytes;
  return true;
}

void Connections::begin_work(int fd) {
  auto& client = net::must_find(clients_, fd, known_client);
  client.phase = Phase::work;
  client.body = 0;
}

void Connections::begin_answer(int fd, std::shared_ptr<const std::string> text, net::Instant now) {
  const auto found = clients_.find(fd);
  if (found == clients_.end()) return;
  auto& client = found->second;
  client = {.phase = Phase::answer, .since = now, .order = ++last_, .text = std::move(text), .cut = client.cut};
}

void Connections::close(int fd) { clients_.erase(fd); }

std::optional<net::Instant> Connections::due(const Client& client) const {
  if (client.cut || client.phase == Phase::work) return std::nullopt;
  return client.since + (client.phase == Phase::request ? limits_.request : limits_.answer);
}

bool Connections::answers_exceed_memory() const {
  std::set<const std::string*> texts;
  for (const auto& [fd, client] : clients_) {
    if (client.text && !client.cut) texts.insert(client.text.get());
  }
  std::size_t bytes = 0;
  for (const auto* text : texts) bytes += text->size();
  return texts.size() > 1 && bytes > limits_.answer_bytes;
}

std::map<int, Connections::Client>::iterator Connections::longest(Phase phase) {
  auto found = clients_.end();
  for (auto each = clients_.begin(); each != clients_.end(); ++each) {
    const auto& client = each->second;
    if (client.cut || client.phase != phase) continue;
    if (found == clients_.end() || client.order < found->second.order) found = each;
  }
  return found;
}

std::vector<int> Connections::overdue(net::Instant now) {
  std::vector<int> cut;
  for (auto& [fd, client] : clients_) {
    if (const auto until = due(client); !until || *until > now) continue;
    client.cut = true;
    cut.push_back(fd);
  }
  while (answers_exceed_memory()) {
    const auto first = longest(Phase::answer);
    net::check(first != clients_.end(), "an unread answer is a client's");
    first->second.cut = true;
    cut.push_back(first->first);
  }
  return cut;
}

std::optional<int> Connections::give_way(net::Instant now) {
  for (const auto phase : {Phase::request, Phase::answer}) {
    const auto first = longest(phase);
    if (first == clients_.end() || first->second.since + limits_.grace > now) continue;
    first->second.cut = true;
    return first->first;
  }
  return std::nullopt;
}

std::optional<net::Instant> Connections::next_due() const {
  std::optional<net::Instant> next;
  for (const auto& [fd, client] : clients_) {
    if (const auto until = due(client); until && (!next || *until < *next)) next = until;
  }
  return next;
}

}  // namespace director
