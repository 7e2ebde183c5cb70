// The table's side of the director: what the situation asks of the kernel is planned, compared and sent, and what has
// left the cluster file is watched until it may go. Nothing else writes to the table.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "director/director.h"
#include "director/log.h"

namespace director {
namespace {

using std::chrono::system_clock;

/// How long to wait before the kernel is asked again for what it refused.
constexpr auto retry_delay = std::chrono::seconds(1);

/// How often the connections of what departs are counted.
constexpr auto departure_look = std::chrono::seconds(1);

/// The destinations that the cluster file names for a service, its fallback among them.
std::set<ipvs::DestinationKey> named_in(const config::Cluster& cluster,
                                        const std::map<ipvs::ServiceKey, std::size_t>& index,
                                        const ipvs::ServiceKey& key) {
  std::set<ipvs::DestinationKey> named;
  const auto found = index.find(key);
  if (found == index.end()) return named;
  const auto& service = cluster.services[found->second];
  for (const auto& server : service.servers) named.insert({.endpoint = server.endpoint});
  if (service.fallback) named.insert({.endpoint = *service.fallback});
  return named;
}

}  // namespace

/// Of the table that was found, what an earlier run put there or the file names is ours; all else is left alone. What
/// is ours and not in the file departs: it takes no new connections, and goes when its open ones have gone.
void Director::adopt_table() {
  Intents intents = intents_;
  for (const auto& [key, s] : index_) intents.owned.insert(key);
  for (const auto& key : intents.owned) {
    note_departures(intents.departures, key, table_.actual(key), named_in(cluster_, index_, key), system_clock::now());
    touch(key);
  }
  for (const auto& [which, departure] : intents.departures) {
    if (intents_.departures.contains(which)) continue;
    tell("ipvs",
         fmt::format("{} of {} left the cluster file: it takes no new connections and goes when its open ones have",
                     ipvs::to_string(which.second), ipvs::to_string(which.first)));
  }
  if (auto kept = keep(std::move(intents)); !kept) warn("directord", kept.error().message);
}

void Director::touch(const ipvs::ServiceKey& key) {
  touched_.insert(key);
  if (apply_timer_ == 0) apply_timer_ = loop_.at(loop_.now(), [this] { apply(); });
}

/// A service of the file is as planned, with what departs from it; any other is only what still departs from it.
KernelTable::Wish Director::wish_for(const ipvs::ServiceKey& key) {
  // What was found anew may hold what somebody else put there meanwhile: it departs like anything the file does not
  // name.
  if (const auto fresh = table_.refresh(key); fresh && *fresh) {
    note_departures(intents_.departures, key, table_.actual(key), named_in(cluster_, index_, key), system_clock::now());
    watch_departures();
  }
  const auto actual = table_.actual(key);
  ipvs::ServiceEntry entry{.service = actual.service, .destinations = {}};
  const auto found = index_.find(key);
  if (found != index_.end()) {
    adopt(found->second, plan(cluster_.services[found->second], situation_[found->second], actual, loop_.now()));
    entry = plans_[found->second].entry;
  }
  keep_departing(entry, intents_.departures, key, actual);
  if (found == index_.end() && entry.destinations.empty()) return {.key = key, .entry = std::nullopt};
  return {.key = key, .entry = std::move(entry)};
}

void Director::apply() {
  loop_.cancel(apply_timer_);
  apply_timer_ = 0;
  std::vector<KernelTable::Wish> wishes;
  for (const auto& key : std::exchange(touched_, {})) wishes.push_back(wish_for(key));

  const auto outcome = table_.make(wishes);
  for (const auto& op : outcome.done) log::info("ipvs: " + ipvs::to_string(op));
  for (const auto& wish : wishes) {
    const auto refused = outcome.unsettled.find(wish.key);
    complain(wish.key, refused == outcome.unsettled.end() ? "" : refused->second);
  }
  if (!complaints_.empty() && retry_timer_ == 0) {
    retry_timer_ = loop_.after(retry_delay, [this] {
      retry_timer_ = 0;
      for (const auto& [key, why] : complaints_) touch(key);
    });
  }
  forget_what_has_gone();
}

/// Keeps and tells why a service is not as planned, once for each reason; with no reason, it is.
void Director::complain(const ipvs::ServiceKey& key, const std::string& why) {
  if (why.empty()) {
    complaints_.erase(key);
  } else if (std::exchange(complaints_[key], why) != why) {
    warn("ipvs", why);
  }
}

/// A service that is neither in the file nor in the kernel any more is nobody's: somebody else may make it anew.
void Director::forget_what_has_gone() {
  if (intents_.owned.size() == index_.size()) return;
  Intents intents = intents_;
  std::erase_if(intents.owned, [&](const ipvs::ServiceKey& key) {
    return !index_.contains(key) && !table_.has(key) && !complaints_.contains(key);
  });
  if (auto kept = keep(std::move(intents)); !kept) warn("directord", kept.error().message);
}

void Director::watch_departures() {
  loop_.cancel(departure_timer_);
  departure_timer_ = 0;
  if (intents_.departures.empty()) return;
  departure_timer_ = loop_.after(departure_look, [this] { look_at_departures(); });
}

/// Asks the kernel about the connections of what departs, and lets go what has none left.
void Director::look_at_departures() {
  Intents intents = intents_;
  std::optional<ipvs::ServiceKey> asked;
  net::Result<std::optional<ipvs::ServiceStatus>> status;
  for (const auto& [which, departure] : intents_.departures) {
    const auto& [key, destination] = which;
    if (asked != key) status = kernel_.list(key);
    asked = key;
    if (!status) continue;  // asked again at the next look
    const ipvs::DestinationStatus* held = nullptr;
    if (*status && (*status)->destinations.contains(destination)) held = &(*status)->destinations.at(destination);
    const auto why = ended(departure, key.protocol, held, system_clock::now());
    if (!why) continue;
    tell("ipvs", fmt::format("{} of {} goes: {}", ipvs::to_string(destination), ipvs::to_string(key), *why));
    intents.departures.erase(which);
    touch(key);
  }
  Departures departures = intents.departures;
  if (auto kept = keep(std::move(intents)); !kept) warn("directord", kept.error().message);
  intents_.departures = std::move(departures);  // unkept, the next life would only look at them once more
  watch_departures();
}

/// Makes a plan the current one of its service, and tells what in it is more than a weight.
void Director::adopt(std::size_t s, Plan plan) {
  const auto& service = cluster_.services[s];
  const std::string subject = "service " + service.name;
  auto& before = situation_[s];
  if (before.quorum != plan.quorum) {
    const auto fallback = service.fallback ? ", the fallback " + net::to_string(*service.fallback) : std::string();
    const bool judged =
        std::ranges::find(before.servers, checkers::State::unknown, &ServerSituation::health) == before.servers.end();
    if (plan.quorum) {
      tell(subject, "has its quorum" + (fallback.empty() ? "" : fallback + " rests"));
    } else if (judged) {
      warn(subject, "has lost its quorum" + (fallback.empty() ? "" : fallback + " serves"));
    } else {
      tell(subject, "waits for its first verdicts" + (fallback.empty() ? "" : fallback + " serves"));
    }
  }
  if (plans_[s].panicking != plan.panicking && plan.panicking > 0) {
    warn(subject,
         fmt::format("panic: {} failed servers are kept in, since checks may take away at most {}% of the weight",
                     plan.panicking, service.panic));
  } else if (plans_[s].panicking != plan.panicking) {
    tell(subject, "panic is over");
  }
  before.quorum = plan.quorum;
  loop_.cancel(again_[s]);
  again_[s] = plan.again ? loop_.at(*plan.again, [this, s] { touch(cluster_.services[s].key); }) : 0;
  plans_[s] = std::move(plan);
}

}  // namespace director
