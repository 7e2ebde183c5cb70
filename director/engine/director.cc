// The events' side of the director: what the checkers, the routers and the operator say changes the situation and
// touches the services it concerns. What that asks of the kernel is in director_table.cc.

#include "director/engine/director.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "director/engine/log.h"
#include "director/engine/table_text.h"

namespace director {
namespace {

EventKind kind_of(checkers::State state) {
  switch (state) {
    case checkers::State::up:
      return EventKind::server_up;
    case checkers::State::down:
      return EventKind::server_down;
    case checkers::State::unknown:
      return EventKind::server_unknown;
  }
  return EventKind::server_unknown;
}

}  // namespace

Director::Director(net::Loop& loop, ipvs::Kernel& kernel, net::Host& host, config::Cluster cluster, Options options)
    : loop_(loop),
      kernel_(kernel),
      cluster_(std::move(cluster)),
      options_(std::move(options)),
      table_(kernel),
      log_(loop.clock(), sinks()),
      store_(loop, log_, options_.state_file),
      checkers_(
          loop, [this](const checkers::Report& report) { on_report(report); }, options_.make_prober),
      true_paths_(
          loop, host, cluster_, checkers_, log_, [this] { set_checks(); }, settings_file("true-paths")),
      routers_(loop, host, routers_hooks(), settings_file("vrrp")),
      sync_(loop, kernel, log_, store_),
      peers_(loop, log_),
      settings_(loop, host, log_, settings_file("director")) {
  for (std::size_t s = 0; s < cluster_.services.size(); ++s) {
    const auto& service = cluster_.services[s];
    states_.push_back({.situation = {.servers = std::vector<ServerSituation>(service.servers.size())}, .plan = {}});
    index_[service.key] = s;
  }
}

std::vector<EventLog::Sink> Director::sinks() {
  std::vector<EventLog::Sink> sinks;
  sinks.emplace_back(
      [](const Event& event) { log::write(type_of(event.kind).level, event.subject + ": " + event.text); });
  sinks.emplace_back([this](const Event& /*event*/) { look_at_problems(); });
  return sinks;
}

std::filesystem::path Director::settings_file(const char* whose) const {
  return options_.settings_folder ? *options_.settings_folder / fmt::format("settings.{}", whose)
                                  : std::filesystem::path();
}

Director::~Director() {
  loop_.cancel(apply_timer_);
  loop_.cancel(drain_timer_);
  loop_.cancel(drift_timer_);
  loop_.cancel(retry_timer_);
  loop_.cancel(problems_timer_);
  loop_.cancel(weight_timer_);
  loop_.cancel(status_timer_);
  for (const auto& state : states_) loop_.cancel(state.again);
}

net::Result<> Director::start() {
  if (auto opened = store_.open(); !opened) return opened;
  if (auto read = table_.read(); !read) return read;
  for (std::size_t s = 0; s < cluster_.services.size(); ++s) {
    for (std::size_t i = 0; i < cluster_.services[s].servers.size(); ++i) heed_orders({.service = s, .server = i});
  }
  if (auto opened = options_.dry_run ? net::Result<>() : true_paths_.open(cluster_); !opened) return opened;
  set_true_paths();
  set_checks();
  adopt_table();
  apply();
  look_at_drains();
  look_at_weights();
  look_for_drift();
  peers_.set_own(cluster_, options_.node);
  if (options_.dry_run) return {};
  sync_.set(cluster_.connection_sync, options_.node.name);
  settings_.set(cluster_);
  if (auto started = routers_.start(cluster_, options_.node); !started) return started;
  routers_.introduce(peers_.own());
  return {};
}

void Director::stop(std::function<void()> on_stopped) {
  routers_.stop([this, on_stopped = std::move(on_stopped)] {
    store_.when_durable([this, on_stopped](const std::string& /*why_not*/) {
      leave_the_table();
      on_stopped();
    });
  });
}

void Director::leave_the_table() {
  true_paths_.stop();
  settings_.restore();
  if (cluster_.director.on_stop == config::Director::OnStop::keep) {
    return log_.add(events::stopped(events::End::rules_stay));
  }
  std::vector<KernelTable::Wish> nothing;
  for (const auto& key : store_.state().owned) nothing.push_back({.key = key, .entry = std::nullopt});
  for (const auto& [key, way] : true_paths_.services()) nothing.push_back({.key = key, .entry = std::nullopt});
  const auto outcome = table_.make(nothing);
  for (const auto& line : table_text(outcome.done)) log::info("ipvs: " + line);
  for (const auto& [key, why] : outcome.unsettled) log_.add(events::table_refused(why));
  log_.add(events::stopped(events::End::rules_removed));
}

void Director::make_way(std::function<void()> then) {
  checkers_.set({});
  store_.when_durable([this, then = std::move(then)](const std::string& /*why_not*/) {
    log_.add(events::stopped(events::End::replaced));
    routers_.leave_to_next_life();
    then();
  });
}

/// Before set_checks(), which asks where they lead.
void Director::set_true_paths() {
  if (options_.dry_run) return;
  true_paths_.set(table_.table());
  for (const auto& [key, way] : true_paths_.services()) touch(key);
}

/// Every check of a service, as it is aimed now, with the server that it speaks for.
void Director::for_each_check(std::size_t service,
                              const std::function<void(const checkers::Key&, ServerId)>& visit) const {
  const auto& asked = cluster_.services[service];
  for (std::size_t i = 0; i < asked.servers.size(); ++i) {
    for (const auto& check : asked.checks) {
      visit(true_paths_.aim(asked, asked.servers[i], check), {.service = service, .server = i});
    }
  }
}

/// Checks exactly what the file in force asks for.
void Director::set_checks() {
  users_.clear();
  for (std::size_t s = 0; s < cluster_.services.size(); ++s) {
    for_each_check(s, [this](const auto& key, ServerId user) { users_.add(key, user); });
  }
  checkers_.set(users_.difference().added);
  for (std::size_t s = 0; s < cluster_.services.size(); ++s) look_at_checks(s);
}

/// What is known of a service's servers already. One that has traffic does not lose it to one failure.
void Director::look_at_checks(std::size_t service) {
  if (table_.has(cluster_.services[service].key)) {
    for_each_check(service, [this](const auto& key, ServerId user) {
      if (has_traffic(user)) checkers_.serves_already(key);
    });
  }
  auto& servers = states_[service].situation.servers;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const auto opinion = opinion_of({.service = service, .server = i});
    servers[i].health = opinion.state;
    if (!cluster_.services[service].checks.empty()) {
      servers[i].since = opinion.since;
    } else if (servers[i].since == net::Instant()) {
      servers[i].since = loop_.now();
    }
  }
}

void Director::on_report(const checkers::Report& report) {
  true_paths_.on_report(report);
  const bool advised = report.result.advice != checkers::Advice{};
  if (report.change != checkers::Change::changed && !advised) return;
  for (const auto id : users_.of(report.key)) judge(id, report.result.sentence);
}

/// Forms the opinion of a server anew, after one of its checks has spoken; `why` is what it said.
void Director::judge(ServerId id, const std::string& why) {
  auto& server = states_[id.service].situation.servers[id.server];
  auto [state, since, advice] = opinion_of(id);
  if (state == server.health && advice == server.advice) return;
  if (state != server.health) {
    // A server that the kernel gives traffic already has nothing to warm up to.
    server.warming = state == checkers::State::up && !has_traffic(id) ? std::optional(loop_.now()) : std::nullopt;
    log_.add(events::server_health(
        name_of(id), kind_of(state), checkers::to_string(server.health), checkers::to_string(state), why,
        server.since == net::Instant() ? std::nullopt : std::optional(wall_.at(server.since))));
  } else {
    log_.add(events::server_advice(name_of(id), why));
  }
  server.health = state;
  server.since = since;
  server.advice = advice;
  touch(cluster_.services[id.service].key);
}

/// Whether the kernel gives it new connections now.
bool Director::has_traffic(ServerId id) const {
  const auto& service = cluster_.services[id.service];
  const auto& held = table_.actual(service.key).destinations;
  const auto found = held.find({.endpoint = service.servers[id.server].endpoint});
  return found != held.end() && found->second.weight > 0;
}

std::optional<ServerId> Director::find(const std::string& service, const std::string& server) const {
  const auto s = std::ranges::find(cluster_.services, service, &config::Service::name);
  if (s == cluster_.services.end()) return std::nullopt;
  const auto i = std::ranges::find(s->servers, server, &config::Server::name);
  if (i == s->servers.end()) return std::nullopt;
  return ServerId{.service = static_cast<std::size_t>(s - cluster_.services.begin()),
                  .server = static_cast<std::size_t>(i - s->servers.begin())};
}

std::string Director::name_of(ServerId id) const {
  const auto& service = cluster_.services[id.service];
  return service.name + "/" + service.servers[id.server].name;
}

Opinion Director::opinion_of(ServerId id) const {
  const auto& service = cluster_.services[id.service];
  const auto& server = service.servers[id.server];
  std::vector<Opinion> opinions;
  for (const auto& check : service.checks) {
    const auto* health = checkers_.find(true_paths_.aim(service, server, check));
    if (health == nullptr) continue;
    opinions.push_back({.state = health->state, .since = health->since, .advice = health->advice});
  }
  return together(opinions, service.combine, server.weight);
}

}  // namespace director
