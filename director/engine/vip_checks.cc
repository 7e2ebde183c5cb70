#include "director/engine/vip_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "director/engine/path_settings.h"
#include "net/check.h"
#include "net/host.h"

namespace director {
namespace {

constexpr std::string_view known_vip = "each address with checks `via: vip` is known";

/// How often the host is looked at again while something about it is wrong.
constexpr auto retry_interval = std::chrono::seconds(5);

/// Calls `use` with each check `via: vip` of a cluster.
template <class Use>
void for_each_check(const config::Cluster& cluster, Use use) {
  for (const auto& service : cluster.services) {
    for (const auto& check : service.checks) {
      if (!check.path.via_vip) continue;
      for (const auto& server : service.servers) use(service, server, check);
    }
  }
}

ProbePath probe_path_to(const config::Service& service, const config::Server& server) {
  return {.family = service.key.family(), .server = server.endpoint.address, .forward = service.forward};
}

std::string broken(const net::Address& vip) {
  return fmt::format(
      "no check `via: vip` has passed since {0} was added to this host: failures do not count. "
      "This host may drop packets from {0}: check accept_local, rp_filter and the packet filter",
      net::to_string(vip));
}

}  // namespace

VipChecks::VipChecks(net::Loop& loop, net::Host& host, const ClusterInForce& in_force, checkers::Checkers& checkers,
                     EventLog& log, OnSourcesChanged on_sources_changed, std::filesystem::path settings)
    : loop_(loop),
      host_(host),
      in_force_(in_force),
      checkers_(checkers),
      log_(log),
      on_sources_changed_(std::move(on_sources_changed)),
      sysctls_(host, std::move(settings)) {}

VipChecks::~VipChecks() { loop_.cancel(retry_timer_); }

net::Result<> VipChecks::open(const config::Cluster& next) {
  bool wanted = false;
  for_each_check(next, [&](const auto&, const auto&, const auto&) { wanted = true; });
  if (!wanted || links_ != nullptr) return {};
  if (auto opened = host_.open_routing(); !opened) return opened;
  auto links = host_.follow_links(loop_, [this](const std::string&) { refresh(); });
  if (!links) return std::unexpected(links.error());
  links_ = std::move(*links);
  return {};
}

void VipChecks::set(const ipvs::Table& held) {
  std::set<ProbePath> wanted;
  std::map<net::Address, Vip> vips;
  for_each_check(in_force_.cluster(), [&](const auto& service, const auto& server, const auto&) {
    wanted.insert(probe_path_to(service, server));
    const auto& vip = service.key.endpoint.address;
    const auto known = vips_.find(vip);
    vips.try_emplace(vip, known == vips_.end() ? Vip{} : known->second);
  });
  vips_ = std::move(vips);
  virtual_addresses_.clear();
  for (const auto& service : in_force_.cluster().services) virtual_addresses_.insert(service.key.endpoint.address);
  for (const auto& router : in_force_.cluster().virtual_routers) {
    for (const auto& virtual_one : router.addresses) virtual_addresses_.insert(virtual_one.prefix.address);
  }

  marks_ = allot_marks(wanted, held, in_force_.cluster().probe_marks);
  services_.clear();
  for (const auto& [key, entry] : held) {
    if (owns(key)) services_.emplace(key, std::nullopt);
  }
  for (const auto& [path, mark] : marks_) services_[private_key(path, mark)] = path;
  if (wanted.empty()) return reset_host();
  known_interfaces_.clear();
  refresh_host();
}

/// Nothing of it matters any more.
void VipChecks::reset_host() {
  loop_.cancel(std::exchange(retry_timer_, 0));
  links_.reset();
  sources_.clear();
  interfaces_.clear();
  faults_.clear();
  sysctls_.restore();
}

checkers::Key VipChecks::aim(const config::Service& service, const config::Server& server,
                             const checkers::Spec& check) const {
  auto key = checkers::make_key(check, server.endpoint);
  if (!check.path.via_vip) return key;
  const auto path = probe_path_to(service, server);
  const auto mark = marks_.find(path);
  if (mark == marks_.end()) return key;
  key.mark = mark->second;
  key.target = service.key.endpoint;
  if (check.port != 0) key.target.port = check.port;
  if (const auto source = sources_.find(path); source != sources_.end() && !key.spec.path.source) {
    key.spec.path.source = source->second;
  }
  return key;
}

std::optional<ipvs::ServiceEntry> VipChecks::entry(const ipvs::ServiceKey& key) const {
  const auto found = services_.find(key);
  if (found == services_.end() || !found->second) return std::nullopt;
  return private_service(*found->second);
}

void VipChecks::on_report(const checkers::Report& report) {
  if (report.key.mark == 0) return;
  const auto found = vips_.find(report.key.target.address);
  if (found == vips_.end() || found->second.probation.state == PathProbation::State::settled) return;
  const bool passed = report.result.outcome == checkers::Outcome::passed;
  if (!passed && !report.result.suppressed) return;  // could not be run
  auto& [address, vip] = *found;
  const bool was_broken = vip.probation.state == PathProbation::State::broken;
  const auto outcome = record_result(vip.probation, report.key, passed, report.result.began, loop_.now());
  if (outcome == ProbationOutcome::none) return;
  suppress_failures(address, vip);
  const auto subject = "VIP check of " + net::to_string(address);
  if (outcome == ProbationOutcome::works && was_broken) log_.add(events::path_works(subject, report.result.sentence));
  if (outcome == ProbationOutcome::broken && vip.fault.empty()) log_.add(events::path_broken(subject, broken(address)));
}

std::set<std::string> VipChecks::problems() const {
  auto all = faults_;
  for (const auto& [address, vip] : vips_) {
    if (vip.probation.state == PathProbation::State::broken && vip.fault.empty()) all.insert(broken(address));
  }
  return all;
}

void VipChecks::refresh() {
  const auto before = sources_;
  refresh_host();
  if (sources_ != before) on_sources_changed_();
}

/// Brings all that follows from the host's interfaces and addresses up to date.
void VipChecks::refresh_host() {
  loop_.cancel(std::exchange(retry_timer_, 0));
  // A role change brings only virtual addresses, and the sources are none of these.
  auto interfaces = interfaces_without_vips();
  if (interfaces != known_interfaces_ || !faults_.empty()) find_sources();
  known_interfaces_ = std::move(interfaces);
  find_faults();
  const auto addresses = local_addresses();
  for (auto& [address, vip] : vips_) {
    set_presence(address, addresses.contains(address));
    suppress_failures(address, vip);
  }
  if (!faults_.empty()) retry_timer_ = loop_.after(retry_interval, [this] { refresh(); });
}

VipChecks::Interfaces VipChecks::interfaces_without_vips() const {
  auto interfaces = links_->interfaces();
  for (auto& [index, interface] : interfaces) {
    std::erase_if(interface.addresses,
                  [&](const auto& held) { return virtual_addresses_.contains(held.prefix.address); });
  }
  return interfaces;
}

void VipChecks::find_sources() {
  sources_.clear();
  interfaces_.clear();
  for (const auto& [path, mark] : marks_) {
    std::string interface;
    if (const auto source = source_for(path, interface)) sources_.emplace(path, *source);
    if (!interface.empty()) interfaces_.emplace(path, interface);
  }
}

/// The address that the kernel would choose towards the server, or another of that interface which stays here.
std::optional<net::Address> VipChecks::source_for(const ProbePath& path, std::string& interface) {
  const auto route = host_.route_to(path.server);
  if (!route || route->local) return std::nullopt;
  const auto found = links_->interfaces().find(route->interface_index);
  if (found == links_->interfaces().end()) return std::nullopt;
  interface = found->second.name;
  const auto suits = [&](const net::Address& address) {
    return address.family() == path.family && !address.is_link_local() && !virtual_addresses_.contains(address);
  };
  if (route->source && suits(*route->source)) return route->source;
  for (const bool near : {true, false}) {
    for (const auto& held : found->second.addresses) {
      if (suits(held.prefix.address) && (!near || held.prefix.contains(path.server))) return held.prefix.address;
    }
  }
  return std::nullopt;
}

/// Finds, for each virtual address, why its answers would not be heard while it is here; each reason is said once.
void VipChecks::find_faults() {
  std::map<std::string, net::Result<>> adjusted;  // by interface
  std::set<std::string> now;
  for (auto& [address, vip] : vips_) {
    // What began under a fault still does not count.
    if (!vip.fault.empty()) vip.probation.count_from = std::max(vip.probation.count_from, loop_.now());
    vip.fault = find_route(address);
    vip.no_route = !vip.fault.empty();
    if (vip.no_route) now.insert(vip.fault);
  }
  for_each_check(in_force_.cluster(), [&](const auto& service, const auto& server, const auto& check) {
    const auto& address = service.key.endpoint.address;
    auto& fault = net::must_find(vips_, address, known_vip).fault;
    if (!fault.empty()) return;
    const auto path = probe_path_to(service, server);
    const auto interface = interfaces_.find(path);
    if (!check.path.source && !sources_.contains(path)) {
      fault = fmt::format(
          "this host has no source address of its own towards {}: failures of checks `via: vip` of {} do not count "
          "while it is on this host",
          net::to_string(path.server), net::to_string(address));
    } else if (address.is_v4() && interface != interfaces_.end()) {
      const auto [known, is_new] = adjusted.try_emplace(interface->second);
      if (is_new) known->second = adjust(interface->second);
      if (!known->second && known->second.error().code == ENOENT) {
        now.insert(known->second.error().message);
      } else if (!known->second) {
        fault = fmt::format("{}: failures of checks `via: vip` of {} do not count while it is on this host",
                            known->second.error().message, net::to_string(address));
      }
    }
    if (!fault.empty()) now.insert(fault);
  });
  for (const auto& sentence : now) {
    if (!faults_.contains(sentence)) log_.add(events::path_broken("VIP check", sentence));
  }
  faults_ = std::move(now);
}

/// Why a probe of the address would not even leave: routing comes before IPVS. Empty where there is a route.
std::string VipChecks::find_route(const net::Address& vip) {
  const auto route = host_.route_to(vip);
  if (route) return {};
  return fmt::format("{}: checks `via: vip` of {} do not count until there is a route", route.error().message,
                     net::to_string(vip));
}

/// Makes an interface's settings what they must be.
net::Result<> VipChecks::adjust(const std::string& interface) {
  const std::string conf = "net/ipv4/conf/";
  const auto read = [&](const std::string& name) { return sysctls_.read(conf + name); };
  const auto accept_all = read("all/accept_local"), accept = read(interface + "/accept_local");
  const auto filter_all = read("all/rp_filter"), filter = read(interface + "/rp_filter");
  for (const auto* value : {&accept_all, &accept, &filter_all, &filter}) {
    if (!*value) return std::unexpected(value->error());
  }
  for (const auto& [name, value] : needed({.accept_local_all = *accept_all,
                                           .accept_local = *accept,
                                           .rp_filter_all = *filter_all,
                                           .rp_filter = *filter})) {
    if (auto set = sysctls_.set(fmt::format("{}{}/{}", conf, interface, name), value); !set) return set;
  }
  return {};
}

void VipChecks::set_presence(const net::Address& address, bool is_here) {
  auto& vip = net::must_find(vips_, address, known_vip);
  const auto was_here = std::exchange(vip.here, is_here);
  if (!was_here || *was_here == is_here) return;
  const auto keys = keys_of(address);
  std::set<checkers::Key> up;
  for (const auto& key : keys) {
    const auto* health = checkers_.find(key);
    if (health != nullptr && health->state == checkers::HealthState::up) up.insert(key);
  }
  address_changed(vip.probation, is_here, std::move(up), loop_.now());
  for (const auto& key : keys) checkers_.probe_now(key);
}

void VipChecks::suppress_failures(const net::Address& address, const Vip& vip) {
  if (vip.no_route || (vip.here == true && !vip.fault.empty()))
    return checkers_.suppress_failures(address, net::Instant::max(), vip.fault);
  checkers_.suppress_failures(address, suppress_until(vip.probation),
                              fmt::format("{} was {} this host: waiting for the first check results",
                                          net::to_string(address), vip.here == true ? "added to" : "removed from"));
}

std::set<net::Address> VipChecks::local_addresses() const {
  std::set<net::Address> addresses;
  for (const auto& [index, interface] : links_->interfaces()) {
    for (const auto& held : interface.addresses) addresses.insert(held.prefix.address);
  }
  return addresses;
}

std::set<checkers::Key> VipChecks::keys_of(const net::Address& address) const {
  std::set<checkers::Key> keys;
  for_each_check(in_force_.cluster(), [&](const auto& service, const auto& server, const auto& check) {
    if (service.key.endpoint.address == address) keys.insert(aim(service, server, check));
  });
  return keys;
}

}  // namespace director
