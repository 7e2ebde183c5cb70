#include "ipvs/family_resolver.h"

#include <linux/ip_vs.h>
#include <linux/netlink.h>

#include <system_error>
#include <thread>

#include "net/netlink.h"

namespace ipvs {
namespace {

constexpr std::uint32_t pending = 0, none = UINT32_MAX;  // no ids of families

std::uint32_t resolve() {
  auto socket = net::Netlink::open(NETLINK_GENERIC);
  if (!socket) return none;
  const auto family = socket->resolve_family(IPVS_GENL_NAME);
  return family ? *family : none;
}

}  // namespace

void FamilyResolver::start() {
  if (answer_) return;
  auto answer = std::make_shared<std::atomic<std::uint32_t>>(pending);
  try {
    std::thread([answer] { *answer = resolve(); }).detach();
  } catch (const std::system_error&) {
    return;  // there are no threads left
  }
  answer_ = std::move(answer);
}

std::optional<std::uint16_t> FamilyResolver::take() {
  const std::uint32_t answer = answer_ ? answer_->load() : pending;
  if (answer == pending) return std::nullopt;
  answer_.reset();
  return answer == none ? std::nullopt : std::optional(static_cast<std::uint16_t>(answer));
}

}  // namespace ipvs
