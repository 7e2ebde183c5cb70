#include "director/engine/agreement.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "net/utf8.h"

namespace director {
namespace {

constexpr std::size_t most_others = 32;  // a faulty node that has the key must not fill the memory
constexpr std::size_t most_addresses = 16;

}  // namespace

std::string to_string(const vrrp::Digest& digest) {
  std::string text;
  for (const std::byte byte : digest) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

std::string Agreement::difference(const Other& other) const {
  std::vector<std::string> parts;
  if (other.identity.node == own_.node) parts.emplace_back("uses the name of this node");
  if (other.identity.files != own_.files) {
    parts.push_back(fmt::format("has another cluster file in force: {}, here it is {}", to_string(other.identity.files),
                                to_string(own_.files)));
  }
  if (other.identity.version != own_.version) {
    parts.push_back(fmt::format("runs directord {}, here it is {}", other.identity.version, own_.version));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

void Agreement::compare(Other& other, net::Instant now) const {
  if (difference(other).empty()) {
    other.differs_since.reset();
  } else if (!other.differs_since) {
    other.differs_since = now;
  }
}

void Agreement::set_own(vrrp::Identity own, net::Instant now) {
  own_ = std::move(own);
  for (auto& [node, other] : others_) compare(other, now);
}

void Agreement::update_peer(vrrp::Identity who, const net::Address& from, net::Instant now) {
  // They go into logs, terminals and JSON, and are what another program sent.
  who.node = net::printable(who.node);
  who.version = net::printable(who.version);
  if (!others_.contains(who.node) && others_.size() == most_others) {
    others_.erase(std::ranges::min_element(others_, {}, [](const auto& entry) { return entry.second.heard; }));
  }
  Other& other = others_[who.node];
  other.identity = std::move(who);
  other.address = from;
  if (other.addresses.size() < most_addresses) other.addresses.insert(from);
  other.heard = now;
  compare(other, now);
}

std::vector<Agreement::Notice> Agreement::take_notices(net::Instant now) {
  std::vector<Notice> notices;
  for (auto& [node, other] : others_) {
    const bool lasted = other.differs_since && now - *other.differs_since >= grace;
    if (lasted && !other.reported) {
      other.reported = true;
      notices.push_back({.node = node,
                         .differs = true,
                         .text = fmt::format("at {} {}", to_string(other.address), difference(other))});
    } else if (!other.differs_since && other.reported) {
      other.reported = false;
      notices.push_back({.node = node,
                         .differs = false,
                         .text = fmt::format("has the same cluster file in force again, and runs the same program: {}, "
                                             "directord {}",
                                             to_string(own_.files), own_.version)});
    }
  }
  return notices;
}

std::optional<net::Instant> Agreement::deadline() const {
  std::optional<net::Instant> first;
  for (const auto& [node, other] : others_) {
    if (!other.differs_since || other.reported) continue;
    const auto due = *other.differs_since + grace;
    if (!first || due < *first) first = due;
  }
  return first;
}

}  // namespace director
