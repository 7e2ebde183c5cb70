#include "vrrp/routers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ranges>
#include <utility>

#include "net/host.h"

namespace vrrp {

namespace {

using namespace std::chrono_literals;

/// Between one announcement and the next; the first is made at once. A neighbour may lose one or two.
constexpr std::array<Duration, 4> burst_pauses = {100ms, 400ms, 1s, 2s};

/// After the burst: for neighbours that have heard otherwise since, or nothing.
constexpr Duration refresh_pause = 60s;

/// Between one word of a kind of refusal and the next: whoever floods us does not fill the log.
constexpr Duration refusal_pause = 60s;

/// Without the farewells after which their sender spoke as master again: after this node stood still, many adverts
/// arrive at once, of which the last is true.
std::vector<Router::Accepted> without_taken_back(std::vector<Router::Accepted> accepted) {
  std::set<net::Address> masters;
  std::vector<Router::Accepted> left;
  for (auto& advert : accepted | std::views::reverse) {
    if (advert.heard.priority == 0 && masters.contains(advert.source)) continue;
    if (advert.heard.priority != 0) masters.insert(advert.source);
    left.push_back(std::move(advert));
  }
  std::ranges::reverse(left);
  return left;
}

}  // namespace

Routers::Routers(net::Loop& loop, net::Host& host, std::filesystem::path settings, OnTransition on_transition,
                 OnError on_error, OnNotice on_notice, std::string held)
    : loop_(loop),
      host_(host),
      sysctls_(host, std::move(settings)),
      on_transition_(std::move(on_transition)),
      on_error_(std::move(on_error)),
      on_notice_(std::move(on_notice)),
      held_(std::move(held)) {}

Routers::~Routers() {
  loop_.cancel(forget_timer_);
  for (auto& [id, router] : routers_) router.close();
  for (const auto& [id, band] : bands_) {
    loop_.cancel(band.timer);
    loop_.cancel(band.announce_timer);
  }
}

void Routers::refresh(Id router) {
  Router& it = routers_.at(router);
  auto refreshed = it.refresh(*links_, sysctls_, virtual_addresses_, [this, router] { on_packets(router); });
  std::ignore = note(router, Operation::separate, std::move(refreshed));
}

void Routers::on_link_change(const std::string& interface) {
  for (auto& [id, router] : routers_) {
    if (router.spec().interface != interface && router.spec().holder() != interface) continue;
    if (is_stopped(bands_.at(band_of_.at(id)))) continue;  // it has removed its own
    refresh(id);
    const Id band = band_of_.at(id);
    const std::size_t member = member_of(id);
    const Group& group = bands_.at(band).group;
    const std::string& fault = router.fault();
    if (fault.empty() != group.members[member].link_up) {
      feed(band, LinkChanged{.member = member, .up = fault.empty()},
           [&] { return fault.empty() ? fmt::format("link {} is up", interface) : fault; });
    } else if (group.machine.state == State::master && !router.holds_all()) {
      // Somebody took an address away, or the interface was made anew.
      feed(band, Reconfigured{}, [] { return ""; });
    }
  }
}

std::size_t Routers::member_of(Id router) const {
  const auto& members = bands_.at(band_of_.at(router)).members;
  return static_cast<std::size_t>(std::ranges::find(members, router) - members.begin());
}

void Routers::on_packets(Id router) {
  const Id id = band_of_.at(router);
  const std::size_t member = member_of(router);
  const auto accepted = routers_.at(router).receive(loop_.now(), self_);
  tell_refusals(router);
  for (const auto& [source, identity] : routers_.at(router).met()) {
    if (on_met_) on_met_(identity, source);
  }
  for (const auto& [source, heard] : without_taken_back(accepted)) {
    Band& band = bands_.at(id);
    band.resigned.reset();
    if (heard.priority == 0) band.resigned = source;
    const bool leaving = band.group.machine.leaving != Leaving::no;
    feed(id, MemberHeard{.member = member, .advert = heard, .source = source}, [&] {
      if (leaving) return fmt::format("handed over to {}", to_string(source));
      if (heard.priority == 0) return fmt::format("{} resigned", to_string(source));
      return fmt::format("heard {} with priority {}, ours is {}", to_string(source), heard.priority,
                         band.config.priority);
    });
  }
}

/// The first of each kind, and then one a minute.
void Routers::tell_refusals(Id router) {
  const Router& it = routers_.at(router);
  for (const auto& [source, refusal] : it.refused()) {
    if (refusal == Refusal::router_id) continue;  // other virtual routers on the link are nobody's mistake
    const auto [told, is_first] = refusals_told_.try_emplace({router, refusal}, loop_.now());
    if (!is_first && loop_.now() - told->second < refusal_pause) continue;
    told->second = loop_.now();
    if (!on_notice_) continue;
    const bool believed = refusal == Refusal::address_list;
    const Counters counters = it.counters();
    on_notice_(
        it.spec().name,
        {.kind = Notice::Kind::advert,
         .text = fmt::format("{} an advert from {}: {} ({} so far)", believed ? "wonders at" : "refused",
                             to_string(source), describe(refusal),
                             believed ? counters.other_address_list : counters.refused[std::to_underlying(refusal)])});
  }
}

void Routers::on_timer(Id id) {
  const Leaving leaving = bands_.at(id).group.machine.leaving;
  feed(id, Expired{}, [&, this] {
    const Band& band = bands_.at(id);
    if (leaving == Leaving::for_good) return std::string("stopped; nobody took over");
    if (band.group.machine.state == State::initialize) return std::string("tries again");
    if (band.resigned) return fmt::format("{} resigned", to_string(*band.resigned));
    const auto waited = master_down_interval(band.config, band.group.machine.master_adver_interval);
    return fmt::format("no master was heard for {}", net::to_string(waited));
  });
  const auto band = bands_.find(id);
  if (band == bands_.end() || leaving != Leaving::to_backup) return;
  const Machine& machine = band->second.group.machine;
  if (machine.state == State::master && machine.leaving == Leaving::no) {
    notice(band->second, {.kind = Notice::Kind::unrelieved, .text = "nobody took over; stays master"});
  }
}

/// One event: the next state is stored, its actions are done, and a change of state is told with its reason. A claim
/// that is refused is an event of its own, of which only the outcome is told.
void Routers::feed(Id id, const GroupEvent& event, const std::function<std::string()>& reason) {
  Band& band = bands_.at(id);
  const Machine before = band.group.machine;
  const auto deadline = band.group.deadline();
  auto made = step(band.config, band.group, event, loop_.now());
  std::string why = made.next.machine.state != before.state ? reason() : "";
  band.group = std::move(made.next);
  if (made.late) {
    notice(band, {.kind = Notice::Kind::stalled,
                  .text = fmt::format("the timer came {} late: listens for an interval before it believes it",
                                      net::to_string(loop_.now() - *before.deadline))});
    why = "stood still for longer than a peer waits";
  }
  if (const auto done = perform(id, made.actions); !done) {
    band.refused = why = done.error().message;
    auto refused = step(band.config, band.group, Refused{}, loop_.now());
    band.group = std::move(refused.next);
    std::ignore = perform(id, refused.actions);
  } else if (std::ranges::find(made.actions, Action::claim) != made.actions.end()) {
    band.refused.clear();
  }
  if (deadline != band.group.deadline()) arm(id);
  const State state = band.group.machine.state;
  if (state != before.state) {
    band.since = loop_.now();
    band.reason = why;
    for (const Id router : band.members) {
      on_transition_({.router = routers_.at(router).spec().name,
                      .from = before.state,
                      .to = state,
                      .reason = why,
                      .stopped = !band.group.running,
                      .at = loop_.now()});
    }
  }
  if (state == State::initialize && !band.group.running && before.state != state) {
    // Not from within: whoever fed this may hold on to the band.
    loop_.cancel(std::exchange(forget_timer_, loop_.at(loop_.now(), [this] { forget_stopped(); })));
  }
}

/// Until a claim fails, which is the error.
net::Result<> Routers::perform(Id id, const std::vector<Action>& actions) {
  for (const Action action : actions) {
    if (auto done = perform(id, action); !done && action == Action::claim) return done;
  }
  return {};
}

net::Result<> Routers::perform(Id id, Action action) {
  Band& band = bands_.at(id);
  if (action == Action::announce) {
    band.announced = 0;
    announce(id);
    return {};
  }
  const bool as_master = band.group.machine.state == State::master;
  net::Result<> result;
  for (const Id i : band.members) {
    Router& router = routers_.at(i);
    net::Result<> done;
    switch (action) {
      case Action::advertise:
        done = note(i, Operation::send, router.send(band.config.priority, as_master));
        break;
      case Action::resign:
        done = note(i, Operation::send, router.send(0, as_master));
        break;
      case Action::claim:
        done = note(i, Operation::claim, router.claim(lease(band.config)));
        break;
      case Action::announce:
        break;
      case Action::yield:
        done = yield(i);
        break;
    }
    if (result) result = std::move(done);
  }
  if (action != Action::claim || !result) return result;
  // When all addresses are there, one of which a route may lead over. Without its routes a master is better than none.
  for (const Id i : band.members) {
    std::ignore = note(i, Operation::route, routers_.at(i).set_routes(*links_, lease(band.config)));
  }
  return result;
}

/// Takes away what it holds.
net::Result<> Routers::yield(Id id) {
  Router& router = routers_.at(id);
  failing_.erase({id, Operation::route});
  auto dropped = router.drop_routes(*links_);
  auto yielded = router.yield();
  return note(id, Operation::yield, dropped ? std::move(yielded) : std::move(dropped));
}

/// One announcement, and a timer for the next.
void Routers::announce(Id id) {
  Band& band = bands_.at(id);
  loop_.cancel(std::exchange(band.announce_timer, 0));
  if (band.group.machine.state != State::master) return;
  for (const Id router : band.members) note(router, Operation::announce, routers_.at(router).announce());
  const Duration pause = band.announced < burst_pauses.size() ? burst_pauses[band.announced++] : refresh_pause;
  band.announce_timer = loop_.after(pause, [this, id] { announce(id); });
}

void Routers::arm(Id id) {
  Band& band = bands_.at(id);
  loop_.cancel(std::exchange(band.timer, 0));
  if (const auto deadline = band.group.deadline()) band.timer = loop_.at(*deadline, [this, id] { on_timer(id); });
}

void Routers::notice(const Band& band, const Notice& what) {
  if (!on_notice_) return;
  for (const Id router : band.members) on_notice_(routers_.at(router).spec().name, what);
}

net::Result<> Routers::note(Id router, Operation operation, net::Result<> result) {
  if (result) {
    failing_.erase({router, operation});
    return result;
  }
  std::string& last = failing_[{router, operation}];
  const bool is_new = std::exchange(last, result.error().message) != result.error().message;
  if (is_new && on_error_) on_error_(routers_.at(router).spec().name, result.error());
  return result;
}

std::optional<Routers::Id> Routers::find(const std::string& name) const {
  const auto found = std::ranges::find_if(order_, [&](Id id) { return routers_.at(id).spec().name == name; });
  return found == order_.end() ? std::nullopt : std::optional(*found);
}

std::vector<Status> Routers::status() const {
  std::vector<Status> all;
  for (const Id id : order_) {
    const Router& router = routers_.at(id);
    const Band& band = bands_.at(band_of_.at(id));
    const Machine& machine = band.group.machine;
    const auto broken = band.group.broken_link();
    std::string fault;
    if (band.group.running && broken) fault = routers_.at(band.members[*broken]).fault();
    if (band.group.running && !band.refused.empty()) fault = band.refused;
    if (band.group.running && band.group.faulted) fault = reason_of(band, &Conditions::fault);
    const auto unset = failing_.find({id, Operation::route});
    all.push_back({.spec = router.spec(),
                   .state = machine.state,
                   .since = band.since,
                   .reason = fault.empty() ? band.reason : fault,
                   .fault = machine.state == State::initialize ? fault : "",
                   .problem = band.refused.empty() && unset != failing_.end() ? unset->second : band.refused,
                   .waits = machine.held ? held_ : reason_of(band, &Conditions::useless),
                   .priority = band.config.priority,
                   .source = router.source(),
                   .held = router.held(),
                   .lease_end = machine.state == State::master ? std::optional(machine.lease_end) : std::nullopt,
                   .next_timer = band.group.deadline(),
                   .peers = router.peers(),
                   .disbelieved = router.disbelieved(),
                   .adverts = router.counters()});
  }
  return all;
}

}  // namespace vrrp
