#include "director/engine/engine.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "director/engine/log.h"
#include "director/engine/vrrp_status.h"
#include "net/host.h"
#include "net/version.h"
#include "vrrp/hello.h"

namespace director {

Engine::Engine(net::Loop& loop, ipvs::Kernel& kernel, net::Host& host, config::Cluster cluster, Options options)
    : loop_(loop),
      kernel_(kernel),
      options_(std::move(options)),
      in_force_(std::move(cluster), options_.node),
      problem_watch_(loop, [this] { return problems(); }),
      log_(loop.clock(), sinks()),
      log_watch_(loop, log_, log::trouble),
      store_(loop, log_),
      drains_(loop, kernel, in_force_, log_, store_, [this](const auto& service) { reconciler_.mark_dirty(service); }),
      health_(loop, host, in_force_, log_,
              {.has_traffic = [this](const auto& server) { return reconciler_.has_traffic(server); },
               .on_change = [this](const auto& server) { reconciler_.mark_dirty(server.service); }},
              {.make_prober = options_.make_prober,
               .settings = settings_file("true-paths"),
               .vip_checks = !options_.dry_run}),
      reconciler_(loop, kernel, in_force_, log_, store_, health_, drains_,
                  {.on_reconciled = [this] { routers_.look_at_services(); },
                   .on_written = [this](const auto& service) { reports_.refresh(service); },
                   .on_table_found = [this] { adjust_kernel(); }}),
      overrides_(loop, in_force_, log_, store_, reconciler_),
      reports_(loop, in_force_, log_, health_, reconciler_,
               {.own = [this] { return own_report(); }, .on_new = [this] { sharing_.pump(); }}),
      sharing_(loop, in_force_, log_, overrides_, reports_, options_.make_transport),
      sync_(loop, kernel, log_, store_),
      peers_(loop, log_),
      settings_(loop, host, log_, settings_file("director")),
      resources_(loop,
                 {.routers = [this] { return routers_.status(); },
                  .report = [this](Event event) { log_.add(std::move(event)); },
                  .on_failure_changed = [this] { routers_.look_at_services(); }},
                 options_.make_units),
      routers_(loop, host, routers_hooks(), options_.make_prober, settings_file("vrrp")) {}

Engine::~Engine() = default;

std::filesystem::path Engine::settings_file(const char* whose) const {
  return options_.settings_folder ? *options_.settings_folder / fmt::format("settings.{}", whose)
                                  : std::filesystem::path();
}

std::vector<EventLog::Sink> Engine::sinks() {
  std::vector<EventLog::Sink> sinks;
  sinks.emplace_back(
      [](const Event& event) { log::write(type_of(event.kind).level, event.subject + ": " + event.text); });
  sinks.emplace_back([this](const Event& /*event*/) { problem_watch_.update_soon(); });
  return sinks;
}

VirtualRouters::Hooks Engine::routers_hooks() {
  return {.not_ready = [this] { return not_ready(); },
          .below_quorum = [this](const std::string& service) { return below_quorum(service); },
          .table_lost = [this] { return reconciler_.lost(); },
          .report =
              [this](Event event) {
                const auto names = peers_.names(cluster());
                event.text = with_names(event.text, names);
                event.reason = with_names(event.reason, names);
                log_.add(std::move(event));
              },
          .resources_failed = [this](const std::string& router) { return resources_.failure(router); },
          .release = [this](const std::string& router,
                            std::function<void()> then) { resources_.release(router, std::move(then)); },
          .on_transition = [this](const vrrp::Transition& transition) { resources_.on_transition(transition); },
          .on_unrelieved = [this](const std::string& router) { resources_.on_unrelieved(router); },
          .on_peer_identity = [this](const vrrp::Identity& other,
                                     const net::Address& from) { peers_.update_peer(other, from); }};
}

net::Result<> Engine::start() {
  if (auto opened = open_store(); !opened) return opened;
  overrides_.open(options_.process);
  if (auto read = reconciler_.read(); !read) return read;
  if (auto opened = health_.open(cluster()); !opened) return opened;
  health_.start(reconciler_.table().table());
  mark_vip_services_dirty();
  reconciler_.adopt_table();
  reconciler_.reconcile();
  drains_.check_connections();
  overrides_.expire_weights();
  problem_watch_.start();
  log_watch_.start();
  store_.follow_clock([this](net::WallTime::duration by) {
    drains_.move_times(by);
    overrides_.expire_weights();
  });
  peers_.set_own(in_force_.node(), cluster().fingerprint);
  if (options_.dry_run) return {};
  adjust_kernel();
  auto specs = router_specs(cluster(), in_force_.node());
  if (!specs) return std::unexpected(specs.error());
  resources_.set(cluster());
  if (auto started = routers_.start(cluster(), in_force_.node(), std::move(*specs)); !started) return started;
  routers_.set_identity(peers_.own());
  const auto keys = read_peer_keys(cluster());
  if (!keys) return std::unexpected(keys.error());
  sharing_.set(*keys);
  return {};
}

net::Result<> Engine::open_store() {
  if (options_.make_disk) {
    store_.open(options_.make_disk(loop_));
  } else if (options_.state_file) {
    auto disk = StateFile::create(loop_, *options_.state_file);
    if (!disk) return std::unexpected(disk.error());
    store_.open(std::move(*disk));
  }
  return {};
}

/// What of the kernel is neither its table nor a router's.
void Engine::adjust_kernel() {
  sync_.set(cluster().connection_sync, in_force_.node().name);
  settings_.set(cluster());
}

void Engine::mark_vip_services_dirty() {
  for (const auto& [service, path] : health_.vip_checks().services()) reconciler_.mark_dirty(service);
}

void Engine::stop(std::function<void()> on_stopped) {
  // Where no other node can take over, units stay like the rules do.
  const bool stay = cluster().nodes.size() < 2 && cluster().director.on_stop == config::Director::OnStop::keep;
  if (stay) resources_.abandon();
  resources_.release_all([this, on_stopped = std::move(on_stopped)] { stop_routers(on_stopped); });
}

void Engine::stop_routers(std::function<void()> on_stopped) {
  routers_.stop([this, on_stopped = std::move(on_stopped)] {
    store_.when_durable([this, on_stopped](const std::string& /*why_not*/) {
      release_host();
      on_stopped();
    });
  });
}

void Engine::release_host() {
  health_.stop();
  settings_.restore();
  const bool stay = cluster().director.on_stop == config::Director::OnStop::keep;
  if (!stay) reconciler_.remove_all();
  log_.add(events::stopped(stay ? events::StopMode::rules_stay : events::StopMode::rules_removed));
}

void Engine::prepare_exec(std::function<void()> then) {
  health_.stop_checks();
  store_.when_durable([this, then = std::move(then)](const std::string& /*why_not*/) {
    log_.add(events::stopped(events::StopMode::replaced));
    routers_.keep_for_next_process();
    then();
  });
}

net::Result<> Engine::reload(NodeConfig next, const std::string& what) {
  // First all that may fail.
  std::optional<VirtualRouters::Prepared> routers;
  if (!options_.dry_run) {
    auto prepared = routers_.prepare(next.cluster, next.node, next.routers);
    if (!prepared) return std::unexpected(prepared.error());
    routers = std::move(*prepared);
  }
  if (auto opened = health_.open(next.cluster); !opened) return opened;

  reconciler_.own(next.cluster);
  const auto differences = in_force_.differences(next.cluster);
  std::map<ipvs::ServiceKey, std::chrono::seconds> drain_times;
  for (const auto& service : differences.gone) drain_times[service] = in_force_.at(service).drain_time;
  health_.before_reload(differences);
  in_force_.replace(std::move(next.cluster), std::move(next.node), differences);
  overrides_.note_file();
  health_.after_reload(differences, reconciler_.table().table());
  mark_vip_services_dirty();
  reconciler_.after_reload(differences, drain_times);
  log_.add(events::reloaded(what));
  // The routers are asked to lead by what is known of the new file's services, none of which is half known.
  reconciler_.write();
  peers_.set_own(in_force_.node(), cluster().fingerprint);
  drains_.check_connections();
  if (!routers) return {};
  resources_.set(cluster());
  routers_.adopt(std::move(*routers), cluster());
  routers_.set_identity(peers_.own());
  sharing_.set(next.peer_keys);
  adjust_kernel();
  return {};
}

net::Result<> Engine::reread(NodeConfig same) {
  if (!options_.dry_run) {
    auto routers = routers_.prepare(same.cluster, same.node, same.routers);
    if (!routers) return std::unexpected(routers.error());
    routers_.adopt(std::move(*routers), cluster());
  }
  peers_.set_own(in_force_.node(), same.cluster.fingerprint);
  routers_.set_identity(peers_.own());
  if (!options_.dry_run) sharing_.set(same.peer_keys);
  return {};
}

void Engine::note_refused_file(const std::string& who, const std::string& why) {
  refused_file_ = fmt::format("{}; the cluster file loaded at {} stays in force", why, net::timestamp(in_force_since_));
  log_.add(events::reload_refused(refused_file_, who));
}

void Engine::note_accepted_file() {
  refused_file_.clear();
  in_force_since_ = loop_.clock().wall();
}

RequestResult<std::string> Engine::hand_over(const std::string& router, const std::optional<std::string>& to) {
  auto done = routers_.hand_over(cluster(), router, to);
  if (done) log_.add(events::router_order(router));
  return done;
}

std::string Engine::order_warning(const std::string& name) const {
  if (!reconciler_.lost().empty()) return "not in force as yet: " + reconciler_.lost();
  const auto* service = in_force_.find(name);
  if (service == nullptr) return "";
  const auto& planned = reconciler_.plan_of(service->key).entry.destinations;
  std::vector<std::string> fallbacks;
  for (const auto& server : service->servers) {
    const auto entry = planned.find({.endpoint = server.endpoint});
    if (entry == planned.end() || entry->second.weight == 0) continue;
    if (!server.fallback) return "";
    fallbacks.push_back(net::to_string(server.endpoint));
  }
  return fmt::format("{} has no server left for new connections; {}", name,
                     fallbacks.empty() ? "new connections are refused"
                                       : fmt::format("fallback {} in use", fmt::join(fallbacks, ", ")));
}

std::string Engine::not_ready() const {
  if (!reconciler_.refused().empty()) return reconciler_.refused().begin()->second;
  if (reconciler_.has_dirty()) return "the rules are not in the kernel yet";
  for (const auto& service : cluster().services) {
    if (reconciler_.found_serving(service.key)) continue;  // it goes on as it is
    const auto& health = health_.of(service.key);
    for (const auto& server : service.servers) {
      if (health_of(health, server.endpoint).state != checkers::HealthState::unknown) continue;
      return fmt::format("server {}/{} has no check result yet", service.name, server.name);
    }
  }
  // A table that serves goes on as it is, with the orders that this node has.
  const bool serves = std::ranges::any_of(
      cluster().services, [this](const config::Service& service) { return reconciler_.found_serving(service.key); });
  return serves ? "" : sharing_.not_ready();
}

NodeReport Engine::own_report() const {
  NodeReport report{.version = std::string(net::version()), .files = to_string(cluster().fingerprint)};
  // Each virtual router that may not lead knows why; it is cheaper to ask than all services.
  for (const auto& router : routers_.status()) {
    report.routers[router.spec.name] = role_of(router);
    if (report.not_ready.empty()) report.not_ready = router.fault.empty() ? router.standby_reason : router.fault;
  }
  const auto all = problems();
  report.problem_count = all.size();
  for (const auto& problem : all) {
    if (report.problems.size() == NodeReport::problems_max) break;
    report.problems.push_back(fmt::format("{}: {}", problem.subject, type_of(problem.kind).name));
  }
  return report;
}

bool Engine::below_quorum(const std::string& name) const {
  const auto* service = in_force_.find(name);
  return service != nullptr && health_.all_known(service->key) && !reconciler_.plan_of(service->key).quorum;
}

std::vector<Problem> Engine::problems() const {
  std::vector<Problem> all;
  for (const auto& why : health_.vip_checks().problems()) all.push_back({EventKind::path_broken, "VIP check", why});
  for (const auto& faults : {health_.local_faults(), routers_.tracker_faults()}) {
    for (const auto& fault : faults)
      all.push_back({EventKind::checks_blocked, "checks: " + fault.what, events::checks_blocked_problem(fault)});
  }
  if (!reconciler_.lost().empty()) all.push_back({EventKind::table_lost, "ipvs", reconciler_.lost()});
  for (const auto& [key, why] : reconciler_.refused()) {
    const auto* service = in_force_.find(key);
    all.push_back(
        {EventKind::table_refused, "service " + (service == nullptr ? ipvs::to_string(key) : service->name), why});
  }
  for (const auto& [setting, why] : settings_.problems())
    all.push_back({EventKind::setting_error, "kernel setting net.ipv4.vs." + setting, why});
  if (!refused_file_.empty()) all.push_back({EventKind::reload_refused, "cluster file", refused_file_});
  if (!sync_.problem().empty()) all.push_back({EventKind::sync_error, "connection sync", sync_.problem()});
  if (!store_.unsaved().empty()) all.push_back({EventKind::state_error, "state file", store_.unsaved()});
  if (const auto why = log_watch_.problem(); !why.empty()) all.push_back({EventKind::log_stalled, "log", why});
  if (!store_.damaged().empty()) all.push_back({EventKind::state_error, "directord", store_.damaged()});
  const auto names = peers_.names(cluster());
  for (const auto& router : routers_.status()) {
    bool own = !router.problem.empty();  // the first one
    for (auto& sentence : vrrp_problems(router, names, loop_.now())) {
      all.push_back({std::exchange(own, false) ? EventKind::router_error : EventKind::router_advert,
                     "vrrp " + router.spec.name, std::move(sentence)});
    }
  }
  std::ranges::move(resources_.problems(), std::back_inserter(all));
  std::ranges::move(peers_.problems(), std::back_inserter(all));
  std::ranges::move(sharing_.problems(), std::back_inserter(all));
  std::ranges::move(reports_.problems(), std::back_inserter(all));
  return all;
}

}  // namespace director
