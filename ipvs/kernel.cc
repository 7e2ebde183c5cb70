#include "ipvs/kernel.h"

namespace ipvs {

namespace {

net::Result<ServiceStatus> with_destinations(Kernel& kernel, ServiceRow row) {
  auto destinations = kernel.destinations(row.key);
  if (!destinations) return std::unexpected(std::move(destinations.error()));
  ServiceStatus status{.service = std::move(row.service), .stats = row.stats, .destinations = {}};
  for (DestinationRow& destination : *destinations) {
    status.destinations.emplace(destination.key, destination.status);
  }
  return status;
}

}  // namespace

net::Result<Snapshot> Kernel::list() {
  auto rows = services();
  if (!rows) return std::unexpected(std::move(rows.error()));
  Snapshot snapshot;
  for (ServiceRow& row : *rows) {
    const ServiceKey key = row.key;
    auto status = with_destinations(*this, std::move(row));
    if (!status) return std::unexpected(std::move(status.error()));
    snapshot.emplace(key, std::move(*status));
  }
  return snapshot;
}

net::Result<std::optional<ServiceStatus>> Kernel::list(const ServiceKey& key) {
  auto row = service(key);
  if (!row) return std::unexpected(std::move(row.error()));
  if (!*row) return std::nullopt;
  auto status = with_destinations(*this, std::move(**row));
  if (!status) return std::unexpected(std::move(status.error()));
  return std::move(*status);
}

net::Result<> Kernel::apply_one(const Op& op) {
  auto refusals = apply(std::span(&op, 1));
  if (!refusals) return std::unexpected(std::move(refusals.error()));
  if (!refusals->empty()) return std::unexpected(std::move(refusals->front().error));
  return {};
}

}  // namespace ipvs
