// Regular expressions that a hostile answer could make so slow that directord does nothing else meanwhile.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "config/rules/validate.h"
#include "config/schema/bytes_type.h"

namespace config {
namespace {

using checkers::Match;
using checkers::regex_work_max;

class RegexRules {
 public:
  RegexRules(const Origin& origin, Diagnostics& diagnostics) : origin_(origin), diagnostics_(diagnostics) {}

  /// `path` is where the file has the check.
  void check(const checkers::Spec& check, const Origin::Path& path) {
    std::visit([&](const auto& kind) { probe(kind, path); }, check.kind);
  }

 private:
  void probe(const checkers::Http& http, Origin::Path path) {
    path.insert(path.end(), {http.tls ? "https" : "http", "expect"});
    auto headers = path, body = path;
    headers.emplace_back("headers");
    body.emplace_back("body");
    for (const auto& [name, match] : http.expect_headers) {
      fits(instructions_of(match), checkers::regex_header_bytes, "in the answer's headers", headers);
    }
    if (!http.expect_body) return;
    const auto instructions = instructions_of(*http.expect_body);
    const auto largest = instructions == 0 ? 0 : regex_work_max / instructions;
    fits(instructions, http.max_body, fmt::format("in a body of {} bytes", http.max_body), body,
         fmt::format(", or 'max_body: {}'", largest));
  }

  void probe(const checkers::Tcp& tcp, Origin::Path path) {
    path.insert(path.end(), {"tcp", "script"});
    std::uint64_t instructions = 0;
    for (const auto& step : tcp.script) {
      if (const auto* match = std::get_if<Match>(&step)) instructions += instructions_of(*match);
    }
    fits(instructions, checkers::regex_script_bytes, "in the answers to a script", path);
  }

  void probe(const checkers::Udp& udp, Origin::Path path) {
    path.insert(path.end(), {"udp", "expect"});
    if (udp.expect) fits(instructions_of(*udp.expect), checkers::regex_datagram_bytes, "in a datagram", path);
  }

  void probe(const auto&, const Origin::Path&) {}

  void fits(std::uint64_t instructions, std::uint64_t bytes, std::string_view where, const Origin::Path& path,
            std::string_view or_else = "") {
    if (instructions * bytes <= regex_work_max || !origin_.valid(path)) return;
    diagnostics_.error(origin_.name_place(path),
                       fmt::format("the regular expression is too large to be looked for {}: {} instructions, at most "
                                   "{}; use smaller repetition counts, or text{}",
                                   where, instructions, regex_work_max / bytes, or_else));
  }

  /// Many checks have the same expression.
  std::uint64_t instructions_of(const Match& match) {
    const auto found = known_.find(match);
    return found != known_.end() ? found->second : known_.emplace(match, regex_instructions(match)).first->second;
  }

  const Origin& origin_;
  Diagnostics& diagnostics_;
  std::map<Match, std::uint64_t> known_;
};

bool is_regex(const Match& match) { return match.kind == Match::Kind::regex; }

bool has_regex(const checkers::Spec& check) {
  if (const auto* http = std::get_if<checkers::Http>(&check.kind))
    return (http->expect_body && is_regex(*http->expect_body)) ||
           std::ranges::any_of(http->expect_headers, [](const auto& header) { return is_regex(header.second); });
  if (const auto* tcp = std::get_if<checkers::Tcp>(&check.kind))
    return std::ranges::any_of(tcp->script, [](const auto& step) {
      const auto* match = std::get_if<Match>(&step);
      return match != nullptr && is_regex(*match);
    });
  const auto* udp = std::get_if<checkers::Udp>(&check.kind);
  return udp != nullptr && udp->expect && is_regex(*udp->expect);
}

}  // namespace

void validate_regexes(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics) {
  RegexRules rules(origin, diagnostics);
  for_each_check(
      cluster, origin, has_regex,
      [&](const checkers::Spec& check, const Origin::Path& path, const std::string&) { rules.check(check, path); });
}

}  // namespace config
