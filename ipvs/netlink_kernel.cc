#include "ipvs/netlink_kernel.h"

#include <fmt/format.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>

#include "ipvs/codec.h"
#include "ipvs/op_error.h"

namespace ipvs {

namespace {

using net::NetlinkMessage;
using net::Result;

/// Ops encoded at a time: what one send takes, so that memory does not grow with the table.
constexpr std::size_t ops_at_once = 128;

constexpr std::string_view module_removed = "this kernel has no IPVS any more: its module ip_vs was removed";

/// Of a question or a whole batch, to which no other ENOENT is an answer.
std::unexpected<net::Error> explained(net::Error error, std::string_view doing) {
  if (error.code == ENOENT) return std::unexpected(net::Error{.code = ENOENT, .message = std::string(module_removed)});
  if (const auto cause = general_cause(error.code)) error.message = *cause;
  return std::unexpected(net::Error{.code = error.code, .message = fmt::format("{}: {}", doing, error.message)});
}

/// Dumps rows of one kind; the first that cannot be read is the error.
template <class Row, class Decode>
Result<std::vector<Row>> dump_rows(net::Netlink& socket, net::NetlinkBatch& request, std::string_view doing,
                                   Decode decode) {
  std::vector<Row> rows;
  Result<> problem;
  const auto dumped = socket.dump(
      request,
      [&](const NetlinkMessage& message) {
        auto row = decode(message);
        if (row) {
          rows.push_back(std::move(*row));
        } else if (problem) {
          problem = std::unexpected(std::move(row.error()));
        }
      },
      [&] { rows.clear(); });
  if (!dumped) return explained(dumped.error(), doing);
  if (!problem) return explained(problem.error(), doing);
  return rows;
}

/// Asks for one value; nothing if the kernel sends none.
template <class Value, class Decode>
Result<std::optional<Value>> ask(net::Netlink& socket, net::NetlinkBatch& request, std::string_view doing,
                                 Decode decode) {
  std::optional<Value> answer;
  Result<> problem;
  const auto done = socket.request(request, [&](const NetlinkMessage& message) {
    auto value = decode(message);
    if (value) {
      answer = std::move(*value);
    } else {
      problem = std::unexpected(std::move(value.error()));
    }
  });
  if (!done) return explained(done.error(), doing);
  if (!problem) return explained(problem.error(), doing);
  return answer;
}

template <class Value>
Result<Value> required(Result<std::optional<Value>> answer, std::string_view doing) {
  if (!answer) return std::unexpected(std::move(answer.error()));
  if (!*answer) return net::failure(fmt::format("{}: the kernel did not answer", doing));
  return std::move(**answer);
}

}  // namespace

Result<NetlinkKernel> NetlinkKernel::open() {
  auto writes = net::Netlink::open(NETLINK_GENERIC);
  if (!writes) return std::unexpected(std::move(writes.error()));
  auto reads = net::Netlink::open(NETLINK_GENERIC);
  if (!reads) return std::unexpected(std::move(reads.error()));
  const auto family = writes->resolve_family(IPVS_GENL_NAME);
  if (!family && family.error().code == ENOENT) {
    return std::unexpected(net::Error{
        .code = ENOENT, .message = "this kernel has no IPVS: load its module as root with `modprobe ip_vs`"});
  }
  if (!family) return std::unexpected(family.error());
  return NetlinkKernel(std::move(*writes), std::move(*reads), *family);
}

Result<> NetlinkKernel::reopen() {
  if (const auto found = resolver_.take()) {
    family_ = *found;
    return {};
  }
  resolver_.start();
  return std::unexpected(net::Error{.code = ENOENT, .message = std::string(module_removed)});
}

Result<std::vector<RefusedOp>> NetlinkKernel::apply(std::span<const Op> ops) {
  std::vector<RefusedOp> refusals;
  for (std::size_t first = 0; first < ops.size(); first += ops_at_once) {
    const auto chunk = ops.subspan(first, std::min(ops_at_once, ops.size() - first));
    batch_.clear();
    for (const Op& op : chunk) encode(batch_, family_, op);
    // A daemon that is stopped before its thread first ran is gone, but the kernel answers with EINTR, which netlink
    // does not deliver: a question behind it brings the chunk's acknowledgement.
    if (std::holds_alternative<StopDaemon>(chunk.back())) encode_get_info(batch_, family_);
    const auto refused = writes_.exchange(batch_);
    if (!refused) return explained(refused.error(), describe(chunk.front()));
    for (const auto& [index, error] : *refused) {
      refusals.push_back({.index = first + index, .error = op_error(chunk[index], error.code)});
    }
  }
  return refusals;
}

Result<std::vector<ServiceRow>> NetlinkKernel::services() {
  batch_.clear();
  encode_list_services(batch_, family_);
  return dump_rows<ServiceRow>(reads_, batch_, "list the IPVS services", decode_service);
}

Result<std::optional<ServiceRow>> NetlinkKernel::service(const ServiceKey& key) {
  batch_.clear();
  encode_get_service(batch_, family_, key);
  auto row = ask<ServiceRow>(reads_, batch_, "list " + to_string(key), decode_service);
  if (!row && row.error().code == ESRCH) return std::nullopt;
  return row;
}

Result<std::vector<DestinationRow>> NetlinkKernel::destinations(const ServiceKey& key) {
  batch_.clear();
  encode_list_destinations(batch_, family_, key);
  return dump_rows<DestinationRow>(
      reads_, batch_, "list the destinations of " + to_string(key),
      [&](const NetlinkMessage& message) { return decode_destination(message, key.family()); });
}

Result<std::vector<Daemon>> NetlinkKernel::daemons() {
  batch_.clear();
  encode_list_daemons(batch_, family_);
  auto daemons = dump_rows<Daemon>(reads_, batch_, "list the IPVS sync daemons", decode_daemon);
  if (daemons) std::ranges::sort(*daemons, {}, &Daemon::state);
  return daemons;
}

Result<Timeouts> NetlinkKernel::timeouts() {
  constexpr std::string_view doing = "read the IPVS timeouts";
  batch_.clear();
  encode_get_timeouts(batch_, family_);
  return required(ask<Timeouts>(reads_, batch_, doing, decode_timeouts), doing);
}

Result<Info> NetlinkKernel::info() {
  constexpr std::string_view doing = "read the IPVS version";
  batch_.clear();
  encode_get_info(batch_, family_);
  return required(ask<Info>(reads_, batch_, doing, decode_info), doing);
}

}  // namespace ipvs
