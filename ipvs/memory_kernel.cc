#include "ipvs/memory_kernel.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ranges>
#include <utility>

#include "ipvs/op_error.h"

namespace ipvs {

namespace {

using net::Result;

/// What the kernel stores of a service's values and gives back: see read_mask in decode.cc.
Service stored(const ServiceKey& key, Service service) {
  if (service.persistence.count() == 0 || service.mask_length >= key.endpoint.address.bits()) service.mask_length = 0;
  if (service.persistence.count() == 0) service.raw_mask.reset();
  return service;
}

Destination stored(Destination destination) {
  if (destination.forward != Forward::tunnel) destination.tunnel = {};
  return destination;
}

bool is_multicast_or_special(const net::Address& address) {
  if (address.is_multicast() || address.is_any()) return true;
  if (address.is_v6()) return address.is_link_local();
  return address == *net::Address::parse("255.255.255.255");
}

std::unexpected<net::Error> fault(int code, std::string_view doing) { return net::system_error(code, doing); }

/// A daemon with the values that the kernel fills in. A master keeps below Ethernet's MTU, which all networks carry.
Daemon completed(Daemon daemon, std::uint32_t mtu) {
  if (!daemon.group) daemon.group = net::Address::parse("224.0.0.81");
  if (daemon.port == 0) daemon.port = 8848;
  if (daemon.ttl == 0) daemon.ttl = 1;
  const std::uint32_t headers = daemon.group->is_v4() ? 20 + 8 : 40 + 8;
  const std::uint32_t limit = std::min(mtu, daemon.state == Daemon::State::master ? 1500u : 65535u) - headers;
  if (daemon.max_length == 0) daemon.max_length = static_cast<std::uint16_t>(limit);
  return daemon;
}

}  // namespace

/// One overload for each op: does it and returns 0, or the errno of the kernel's first objection.
struct MemoryKernel::Apply {
  MemoryKernel& kernel;

  ServiceStatus* find(const ServiceKey& key) const {
    const auto found = kernel.table.find(key);
    return found == kernel.table.end() ? nullptr : &found->second;
  }

  /// Names are measured before anything else is looked at.
  static int measure(const Service& service) {
    constexpr std::size_t longest = 15;
    return service.scheduler.size() > longest || service.persistence_engine.size() > longest ? EINVAL : 0;
  }

  int check(const Service& service) const {
    if (!kernel.schedulers.contains(service.scheduler)) return ENOENT;
    if (!service.persistence_engine.empty() && service.persistence_engine != "sip") return ENOENT;
    return 0;
  }

  int check(const ServiceKey& service, const DestinationKey& key, const Destination& destination) const {
    if (key.endpoint.address.family() != service.family()) {
      const bool synced = std::ranges::any_of(kernel.daemons_, [](const auto& daemon) { return daemon.has_value(); });
      if (synced || destination.forward != Forward::tunnel) return EINVAL;
    }
    if (destination.weight > INT32_MAX || destination.lower_threshold > destination.upper_threshold) return ERANGE;
    const Tunnel tunnel = stored(destination).tunnel;
    if (tunnel.type == Tunnel::Type::gue && tunnel.port == 0) return EINVAL;
    return 0;
  }

  void discard(const ServiceKey& service, const DestinationKey& key, const DestinationStatus& status) const {
    if (kernel.expire_nodest_conn) {
      kernel.reset += status.active;
    } else if (status.active + status.inactive + status.persistent > 0) {
      kernel.trash[{service, key}] = {.destination = {},
                                      .active = status.active,
                                      .inactive = status.inactive,
                                      .persistent = status.persistent,
                                      .stats = {}};
    }
  }

  int operator()(const AddService& op) const {
    if (const int code = measure(op.service)) return code;
    if (find(op.key)) return EEXIST;
    if (const int code = check(op.service)) return code;
    kernel.table.emplace(op.key, ServiceStatus{.service = stored(op.key, op.service), .stats = {}, .destinations = {}});
    return 0;
  }

  int operator()(const SetService& op) const {
    if (const int code = measure(op.service)) return code;
    ServiceStatus* service = find(op.key);
    if (!service) return ESRCH;
    if (const int code = check(op.service)) return code;
    service->service = stored(op.key, op.service);
    return 0;
  }

  int operator()(const RemoveService& op) const {
    const ServiceStatus* service = find(op.key);
    if (!service) return ESRCH;
    for (const auto& [key, status] : service->destinations) discard(op.key, key, status);
    kernel.table.erase(op.key);
    return 0;
  }

  int operator()(const AddDestination& op) const {
    ServiceStatus* service = find(op.service);
    if (!service) return ESRCH;
    if (const int code = check(op.service, op.key, op.destination)) return code;
    if (service->destinations.contains(op.key)) return EEXIST;
    if (is_multicast_or_special(op.key.endpoint.address)) return EINVAL;
    DestinationStatus& added = service->destinations[op.key];
    if (const auto old = kernel.trash.extract({op.service, op.key})) added = old.mapped();
    added.destination = stored(op.destination);
    return 0;
  }

  int operator()(const SetDestination& op) const {
    ServiceStatus* service = find(op.service);
    if (!service) return ESRCH;
    if (const int code = check(op.service, op.key, op.destination)) return code;
    const auto found = service->destinations.find(op.key);
    if (found == service->destinations.end()) return ENOENT;
    found->second.destination = stored(op.destination);
    return 0;
  }

  int operator()(const RemoveDestination& op) const {
    ServiceStatus* service = find(op.service);
    if (!service) return ESRCH;
    const auto found = service->destinations.find(op.key);
    if (found == service->destinations.end()) return ENOENT;
    discard(op.service, op.key, found->second);
    service->destinations.erase(found);
    return 0;
  }

  int operator()(const Zero& op) const {
    if (op.service && !find(*op.service)) return ESRCH;
    for (auto& [key, service] : kernel.table) {
      if (op.service && *op.service != key) continue;
      service.stats = {};
      for (auto& [destination, status] : service.destinations) status.stats = {};
    }
    return 0;
  }

  int operator()(const Flush&) const {
    while (!kernel.table.empty()) (*this)(RemoveService{kernel.table.begin()->first});
    return 0;
  }

  int operator()(const SetTimeouts& op) const {
    constexpr std::chrono::seconds longest(INT32_MAX / 250);  // in jiffies of a kernel with HZ=250
    if (std::max({op.timeouts.tcp, op.timeouts.tcp_fin, op.timeouts.udp}) > longest) return EINVAL;
    const auto take = [](std::chrono::seconds& timeout, std::chrono::seconds value) {
      if (value.count() != 0) timeout = value;
    };
    take(kernel.timeouts_.tcp, op.timeouts.tcp);
    take(kernel.timeouts_.tcp_fin, op.timeouts.tcp_fin);
    take(kernel.timeouts_.udp, op.timeouts.udp);
    return 0;
  }

  std::optional<Daemon>& slot(Daemon::State state) const {
    return kernel.daemons_[static_cast<std::size_t>(state) - 1];
  }

  int operator()(const StartDaemon& op) const {
    if (op.daemon.interface.size() > 15 || (op.daemon.group && !op.daemon.group->is_multicast())) return EINVAL;
    if (slot(op.daemon.state)) return EEXIST;
    const auto interface = kernel.interfaces.find(op.daemon.interface);
    if (interface == kernel.interfaces.end()) return ENODEV;
    slot(op.daemon.state) = completed(op.daemon, interface->second);
    return 0;
  }

  int operator()(const StopDaemon& op) const {
    if (!slot(op.state)) return ESRCH;
    slot(op.state).reset();
    return 0;
  }
};

std::uint64_t MemoryKernel::orphaned() const {
  std::uint64_t sum = 0;
  for (const auto& [key, status] : trash) sum += status.active;
  return sum;
}

Result<std::vector<RefusedOp>> MemoryKernel::apply(std::span<const Op> ops) {
  std::optional<Fault> injected;
  if (!faults.empty() && faults.front() != Fault::interrupted_dump) {
    injected = faults.front();
    faults.pop_front();
  }
  const std::string_view doing = "change the IPVS table";
  if (!open_) {
    std::vector<RefusedOp> all;
    for (std::size_t i = 0; i < ops.size(); ++i) all.push_back({.index = i, .error = op_error(ops[i], ENOENT)});
    return all;
  }
  if (injected == Fault::busy) return fault(EBUSY, doing);
  const auto done = injected == Fault::no_buffers ? ops.first(ops.size() / 2) : ops;
  std::vector<RefusedOp> refusals;
  for (std::size_t i = 0; i < done.size(); ++i) {
    const int code = std::visit(Apply{*this}, done[i]);
    if (code != 0) refusals.push_back({.index = i, .error = op_error(done[i], code)});
  }
  if (injected == Fault::no_buffers) return fault(ENOBUFS, doing);
  if (injected == Fault::lost_reply) return fault(ETIMEDOUT, doing);
  return refusals;
}

void MemoryKernel::unload() {
  loaded_ = open_ = false;
  table.clear();
  trash.clear();
  daemons_ = {};
}

Result<> MemoryKernel::reopen() {
  if (!loaded_) return fault(ENOENT, "open the IPVS table");
  open_ = true;
  return {};
}

Result<> MemoryKernel::fail_dump() {
  if (!open_) return fault(ENOENT, "list the IPVS table");
  if (faults.empty() || faults.front() == Fault::lost_reply || faults.front() == Fault::no_buffers) return {};
  const int code = faults.front() == Fault::busy ? EBUSY : EINTR;
  faults.pop_front();
  return fault(code, "list the IPVS table");
}

Result<std::vector<ServiceRow>> MemoryKernel::services() {
  if (auto dumped = fail_dump(); !dumped) return std::unexpected(std::move(dumped.error()));
  std::vector<ServiceRow> rows;
  for (const auto& [key, status] : table)
    rows.push_back({.key = key, .service = status.service, .stats = status.stats});
  return rows;
}

Result<std::optional<ServiceRow>> MemoryKernel::service(const ServiceKey& key) {
  if (!open_) return fault(ENOENT, "list the IPVS table");
  const auto found = table.find(key);
  if (found == table.end()) return std::nullopt;
  return ServiceRow{.key = key, .service = found->second.service, .stats = found->second.stats};
}

Result<std::vector<DestinationRow>> MemoryKernel::destinations(const ServiceKey& key) {
  if (auto dumped = fail_dump(); !dumped) return std::unexpected(std::move(dumped.error()));
  std::vector<DestinationRow> rows;
  const auto found = table.find(key);
  if (found == table.end()) return rows;
  for (const auto& [destination, status] : found->second.destinations) {
    rows.push_back({.key = destination, .status = status});
  }
  return rows;
}

Result<std::vector<Daemon>> MemoryKernel::daemons() {
  if (!open_) return fault(ENOENT, "list the IPVS sync daemons");
  std::vector<Daemon> running;
  for (const auto& daemon : daemons_) {
    if (daemon) running.push_back(*daemon);
  }
  return running;
}

}  // namespace ipvs
