#include "checkers/probes/dns.h"

#include <fmt/format.h>

#include <algorithm>

namespace checkers {

std::optional<Result> DnsExchange::receive(std::string_view datagram) {
  const auto response = dns::parse(datagram, question_);
  if (!response) {
    if (response.error() == dns::ParseError::another) return std::nullopt;
    return failed(doing(), "malformed response");
  }
  const auto rcode = dns::name_of_rcode(response->rcode);
  if (response->rcode != spec_.rcode) {
    return failed(doing(), fmt::format("{}, expected {}", rcode, dns::name_of_rcode(spec_.rcode)));
  }
  const auto& found = response->addresses;
  if (spec_.address && std::ranges::find(found, *spec_.address) == found.end()) {
    std::string list;
    for (const auto& address : found) list += (list.empty() ? "" : ", ") + to_string(address);
    return failed(doing(), fmt::format("{} not among the answers: {}{}", to_string(*spec_.address),
                                       list.empty() ? "none" : list, response->truncated ? ", truncated" : ""));
  }
  return passed(doing(), rcode);
}

std::string DnsExchange::doing() const { return fmt::format("dns {} {}", to_string(target_), spec_.name); }

}  // namespace checkers
