#include "test/sim/orders/world.h"

#include <fmt/format.h>

#include <algorithm>

namespace order_sim {

using director::EndedOrder;
using director::Order;
using director::OrderSubject;
using director::OrderVersion;
using director::Overrides;
using namespace std::chrono_literals;

namespace {

constexpr Duration liveness = 2s;  // a connection that is silent for so long is closed
constexpr Duration retry = 500ms;  // between two attempts to connect
constexpr Duration slack = 3s;     // what messages under way may add to a time that is left

std::string text(const OrderVersion& version) { return fmt::format("{}@{}", version.counter, version.node); }

}  // namespace

World::World(std::uint64_t seed, Mutation mutation) : random_(seed) {
  const std::size_t count = 2 + below(4);
  for (std::size_t i = 0; i < count; ++i) {
    const auto error = std::chrono::seconds(below(1200)) - 600s;
    names_.insert(directors_.emplace_back(fmt::format("lb{}", i + 1), error, mutation).name());
    for (std::size_t j = 0; j < i; ++j) links_[{j, i}];
  }
}

void World::say(const std::string& what) {
  const auto at = std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch() - 1h);
  outcome_.story += fmt::format("{:>8} ms  {}\n", at.count(), what);
}

void World::start(Director& director) {
  say("start " + director.name());
  director.start(random_(), names_);
}

void World::crash(Director& director) {
  say("crash " + director.name());
  director.crash();
  const auto place = static_cast<std::size_t>(&director - directors_.data());
  saves_.erase(place);
  for (auto& [ends, link] : links_) {
    if (ends.first == place || ends.second == place) cut(ends.first, ends.second, link);
  }
}

void World::order(Director& director, Order wanted) {
  std::optional<Duration> time;
  if (const auto* weight = std::get_if<Overrides::Weight>(&wanted.value); weight != nullptr && weight->until)
    time = *weight->until - director.wall(now_);
  const auto order = director.order(std::move(wanted));
  const auto place = static_cast<std::size_t>(&director - directors_.data());
  say(fmt::format("{} of {} {} on {}: {}", std::holds_alternative<EndedOrder>(order.value) ? "end" : "order",
                  order.subject.server, to_string(order.subject.kind), director.name(), text(order.origin().version)));
  // What is over and forgotten everywhere has no part in what comes.
  const bool forgotten = std::ranges::all_of(directors_, [&](const Director& each) {
    return (&each == &director || !find_order(each.book(), order.subject)) && !find_order(each.disk(), order.subject);
  });
  if (forgotten && order.origin().replaces.counter == 0) given_.erase(order.subject);
  given_[order.subject].push_back({.order = order, .at = now_, .time = time, .giver = place});
  saves_.try_emplace(place, now_ + std::chrono::milliseconds(below(300)));
}

void World::set_link(std::size_t a, std::size_t b, bool up) {
  auto& link = links_.at({a, b});
  if (link.up == up) return;
  say(fmt::format("{} and {} {}", directors_[a].name(), directors_[b].name(), up ? "reach each other" : "are cut off"));
  link.up = up;
  link.since = now_;
  if (!up || !link.connection) return;
  for (auto& messages : link.connection->messages) {
    // TCP sends again what was lost, after a while.
    const Instant again = now_ + std::chrono::milliseconds(below(800));
    for (auto& [arrives, message] : messages) arrives = std::max(arrives, again);
  }
}

void World::set_disk(std::size_t director, bool works) {
  if (disk_works(director) == works) return;
  say(fmt::format("the disk of {} {}", directors_[director].name(), works ? "works" : "hangs"));
  if (works) {
    hanging_disks_.erase(director);
  } else {
    hanging_disks_.insert(director);
  }
}

void World::cut(std::size_t a, std::size_t b, Link& link) {
  if (!link.connection) return;
  directors_[a].close(link.connection->sessions[0], now_);
  directors_[b].close(link.connection->sessions[1], now_);
  link.connection.reset();
  link.next_try = now_ + std::chrono::milliseconds(below(500));
}

void World::go_on(Duration time, Duration step) {
  for (const Instant end = now_ + time; now_ < end;) tick(step);
}

void World::tick(Duration step) {
  now_ += step;
  for (auto& [ends, link] : links_) {
    const auto [a, b] = ends;
    if (link.connection && !link.up && now_ - link.since > liveness) cut(a, b, link);
    if (!link.connection && link.up && now_ >= link.next_try && directors_[a].runs() && directors_[b].runs()) {
      link.connection.emplace(Connection{.sessions = {++last_session_, ++last_session_}});
      directors_[a].open(link.connection->sessions[0]);
      directors_[b].open(link.connection->sessions[1]);
    }
    if (!link.connection && now_ >= link.next_try) link.next_try = now_ + retry;
    if (link.connection && link.up) move_messages(a, b, link);
  }
  for (std::size_t i = 0; i < directors_.size(); ++i) {
    if (!directors_[i].runs()) continue;
    directors_[i].tidy(now_);
    if (directors_[i].book() != directors_[i].disk())
      saves_.try_emplace(i, now_ + std::chrono::milliseconds(below(300)));
  }
  for (auto save = saves_.begin(); save != saves_.end();) {
    if (save->second > now_ || !disk_works(save->first)) {
      ++save;
      continue;
    }
    const auto place = save->first;
    directors_[place].save();
    for (auto& [subject, orders] : given_) {
      for (auto& order : orders) {
        order.promised |=
            order.giver == place && director::covers(directors_[place].book().known, order.order.origin().version);
      }
    }
    save = saves_.erase(save);
  }
}

void World::move_messages(std::size_t a, std::size_t b, Link& link) {
  const std::size_t ends[] = {a, b};
  for (std::size_t to = 0; to < 2 && link.connection; ++to) {
    auto& connection = *link.connection;
    auto& messages = connection.messages[to];
    if (messages.size() < 3) {  // a connection takes only so much at once
      if (auto text = directors_[ends[1 - to]].next(connection.sessions[1 - to], now_)) {
        const auto earliest = messages.empty() ? now_ : messages.back().first;
        messages.emplace_back(std::max(earliest, now_ + std::chrono::milliseconds(below(50))), std::move(*text));
      }
    }
    if (messages.empty() || messages.front().first > now_) continue;
    const auto text = std::move(messages.front().second);
    messages.pop_front();
    const auto outdated = directors_[ends[to]].receive(connection.sessions[to], text, now_);
    if (!outdated)
      throw Violation{fmt::format("{} refuses a message: {}", directors_[ends[to]].name(), outdated.error().message)};
  }
}

std::vector<std::size_t> World::reachable(std::size_t from) const {
  std::vector<std::size_t> found{from};
  for (std::size_t next = 0; next < found.size(); ++next) {
    for (const auto& [ends, link] : links_) {
      if (!link.up || (ends.first != found[next] && ends.second != found[next])) continue;
      const auto other = ends.first == found[next] ? ends.second : ends.first;
      if (directors_[other].runs() && std::ranges::find(found, other) == found.end()) found.push_back(other);
    }
  }
  return found;
}

void World::check_agreement() {
  for (std::size_t i = 0; i < directors_.size(); ++i) {
    if (!directors_[i].runs()) continue;
    for (const auto other : reachable(i)) {
      if (other > i) compare(directors_[i], directors_[other]);
    }
  }
  note("rule: who can reach each other holds the same");
}

const World::Given* World::given(const OrderSubject& subject, const OrderVersion& version) const {
  const auto orders = given_.find(subject);
  if (orders == given_.end()) return nullptr;
  const auto found =
      std::ranges::find(orders->second, version, [](const Given& each) { return each.order.origin().version; });
  return found == orders->second.end() ? nullptr : &*found;
}

bool World::is_over(const Given& given) const {
  return std::holds_alternative<EndedOrder>(given.order.value) || (given.time && now_ - given.at > *given.time + slack);
}

void World::compare(const Director& one, const Director& other) const {
  for (const auto& [subject, orders] : given_) {
    const auto here = find_order(one.book(), subject), there = find_order(other.book(), subject);
    const auto is_standing = [](const auto& order) {
      return order && !std::holds_alternative<EndedOrder>(order->value);
    };
    if (!is_standing(here) && !is_standing(there)) continue;
    const auto version = (here ? here : there)->origin().version;
    if (here && there && here->origin().version == version && there->origin().version == version) continue;
    throw Violation{fmt::format("{} and {} do not agree on {}: {} and {}", one.name(), other.name(), subject.server,
                                here ? text(here->origin().version) : "none",
                                there ? text(there->origin().version) : "none")};
  }
}

void World::check_nothing_lost() {
  for (const auto& [subject, orders] : given_) {
    for (const auto& director : directors_) check_subject(subject, director);
  }
  note("rule: what was done holds, or what came after it");
}

void World::check_subject(const OrderSubject& subject, const Director& director) const {
  const auto holds = find_order(director.book(), subject);
  const Given* last = nullptr;
  for (const auto& each : given_.at(subject)) {
    if (each.promised && (last == nullptr || last->order.origin().version < each.order.origin().version)) last = &each;
  }
  const auto where = fmt::format("{} of {} on {}", to_string(subject.kind), subject.server, director.name());
  if (!holds) {
    if (last != nullptr && !is_over(*last))
      throw Violation{fmt::format("{} is lost: {}", where, text(last->order.origin().version))};
    return;
  }
  const auto& version = holds->origin().version;
  if (last != nullptr && version < last->order.origin().version)
    throw Violation{
        fmt::format("{}: {} has come back, after {}", where, text(version), text(last->order.origin().version))};
  const auto* wanted = given(subject, version);
  if (wanted == nullptr) throw Violation{fmt::format("{}: nobody has given {}", where, text(version))};
  const auto* weight = std::get_if<Overrides::Weight>(&holds->value);
  const auto* wanted_weight = std::get_if<Overrides::Weight>(&wanted->order.value);
  if (weight != nullptr) {
    if (wanted_weight == nullptr || weight->value != wanted_weight->value || weight->reason != wanted_weight->reason)
      throw Violation{where + " is not what was given"};
    if (is_over(*wanted)) throw Violation{where + ": its time is over"};
    if (!wanted->time) return;
    const auto left = *weight->until - director.wall(now_);
    const auto right = *wanted->time - (now_ - wanted->at);
    if (abs(left - right) > slack) throw Violation{where + " ends at another time than it was given for"};
    return;
  }
  const bool stands = std::holds_alternative<Overrides::Drain>(holds->value);
  if (stands && !std::holds_alternative<Overrides::Drain>(wanted->order.value))
    throw Violation{where + " is not what was given"};
  const bool early = wanted->time && now_ - wanted->at + slack < *wanted->time;
  if (!stands && (std::holds_alternative<Overrides::Drain>(wanted->order.value) || early ||
                  (wanted_weight != nullptr && !wanted->time)))
    throw Violation{where + " has ended by itself"};
}

void World::check_all_forgotten() const {
  for (const auto& director : directors_) {
    if (!director.book().ended.empty())
      throw Violation{fmt::format("{} does not forget what is over: {}", director.name(),
                                  director.book().ended.begin()->first.server)};
  }
}

}  // namespace order_sim
