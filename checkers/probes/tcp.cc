#include "checkers/probes/tcp.h"

#include <fmt/format.h>

#include "checkers/text.h"

namespace checkers {

net::Result<TcpScript> TcpScript::prepare(const Tcp& spec) {
  TcpScript script;
  std::uint64_t instructions = 0;  // one portion may hold the answers to all steps
  for (const auto& step : spec.script) {
    if (const auto* send = std::get_if<Tcp::Send>(&step)) {
      script.steps.emplace_back(*send);
      continue;
    }
    auto matcher = Matcher::prepare(std::get<Match>(step), regex_script_bytes);
    if (!matcher) return std::unexpected(matcher.error());
    instructions += matcher->instructions();
    if (instructions * regex_script_bytes > regex_work_max) {
      return net::failure(fmt::format("regular expressions of a script: {} instructions are too many", instructions));
    }
    script.steps.emplace_back(std::move(*matcher));
  }
  return script;
}

std::optional<Result> TcpConversation::begin(std::string& out) { return proceed({}, out); }

std::optional<Result> TcpConversation::receive(std::string_view bytes, std::string& out) {
  return on_searched(search_->feed(bytes), out);
}

std::optional<Result> TcpConversation::closed() {
  std::string nothing;
  return on_closed(search_->finish(), nothing);
}

std::string TcpConversation::doing() const {
  if (!search_) return fmt::format("connect {}", to_string(target_));
  return fmt::format("tcp {}: expect {}", to_string(target_), std::get<Matcher>(script_.steps[step_]).describe());
}

/// Takes the script's steps until one has to wait for the peer; `rest` is what the peer has said beyond the last match.
std::optional<Result> TcpConversation::proceed(std::string rest, std::string& out) {
  for (; step_ < script_.steps.size(); ++step_) {
    if (const auto* send = std::get_if<Tcp::Send>(&script_.steps[step_])) {
      out += send->bytes;
      continue;
    }
    search_.emplace(std::get<Matcher>(script_.steps[step_]), TcpScript::answer_limit, allowance_);
    if (const auto found = search_->feed(rest); found != Search::Found::yes) return on_searched(found, out);
    rest = search_->rest();
  }
  if (!search_) return passed(doing(), "connected");
  return passed(fmt::format("tcp {}", to_string(target_)), "answered as expected");
}

std::optional<Result> TcpConversation::on_searched(Search::Found found, std::string& out) {
  if (found == Search::Found::slow) return search_in_thread(&TcpConversation::on_searched);
  if (found == Search::Found::yes) {
    ++step_;
    return proceed(std::string(search_->rest()), out);
  }
  if (!search_->full()) return std::nullopt;
  return failed(doing(), fmt::format("not in the first {} bytes, which begin {}", TcpScript::answer_limit,
                                     quote(search_->text())));
}

std::optional<Result> TcpConversation::on_closed(Search::Found found, std::string&) {
  if (found == Search::Found::slow) return search_in_thread(&TcpConversation::on_closed);
  if (found == Search::Found::yes && step_ + 1 == script_.steps.size()) return passed(doing(), "answered");
  return failed(doing(), search_->text().empty() ? "closed without an answer"
                                                 : fmt::format("closed after {}", quote(search_->text())));
}

std::optional<Result> TcpConversation::search_in_thread(Then then) {
  work_ = [this, then, search = search_->slow_search()]() -> Proceed {
    return [this, then, end = search.run()](std::string& out) { return (this->*then)(search_->take(end), out); };
  };
  return std::nullopt;
}

}  // namespace checkers
