#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checkers/probe.h"
#include "checkers/probes/http_response.h"
#include "checkers/probes/match.h"
#include "checkers/probes/redirect.h"

namespace checkers {

/// An http check made ready.
struct HttpPlan {
  Http spec;
  std::map<std::string, Matcher> headers;  ///< by name in lower case
  std::optional<Matcher> body;

  [[nodiscard]] static net::Result<HttpPlan> prepare(const Http& spec);

  /// The first request of a probe.
  [[nodiscard]] Request first(const net::Endpoint& target) const;

  [[nodiscard]] std::string text(const Request& request) const;

  /// What of an answer's fields is not as expected; nothing if all is. It may cost header_work().
  using Fields = std::vector<std::pair<std::string, std::string>>;
  [[nodiscard]] std::optional<std::string> wrong_header(const Fields& fields) const;
  [[nodiscard]] std::uint64_t header_work(const Fields& fields) const;
};

/// One request over HTTP/1.1. Judged by status and fields once the head is complete, and by the body where one is
/// expected; what is not asked for is not read.
class HttpConversation final : public Conversation {
 public:
  /// `plan` must outlive the conversation.
  HttpConversation(const net::Endpoint& target, const HttpPlan& plan)
      : HttpConversation(plan.first(target), plan, nullptr) {}

  /// The same for one request of several. When it is redirected, the next is put into `next`, which then outlives the
  /// conversation, and its result is only that it passed; where `next` is null, a redirect is an answer like any other.
  HttpConversation(Request request, const HttpPlan& plan, std::optional<Request>* next);

  std::optional<Result> begin(std::string& out) override;
  std::optional<Result> receive(std::string_view bytes, std::string& out) override;
  std::optional<Result> closed() override;
  [[nodiscard]] SlowWork take_slow_work() override { return std::exchange(work_, nullptr); }
  [[nodiscard]] std::string doing() const override;

 private:
  std::optional<Result> check_head();
  std::optional<Result> on_headers(const std::optional<std::string>& wrong);
  [[nodiscard]] std::optional<Result> redirected() const;
  std::optional<Result> go_on();
  std::optional<Result> check_body();
  [[nodiscard]] Result on_body(bool as_expected) const;
  [[nodiscard]] bool complete() const { return response_.state() == HttpResponse::State::complete; }
  [[nodiscard]] Result pass() const;

  Request request_;
  const HttpPlan& plan_;
  std::optional<Request>* next_;
  HttpResponse response_;
  bool head_checked_ = false;
  std::string part_;  ///< of the body, not searched yet
  LoopAllowance allowance_;
  std::optional<Search> body_;
  SlowWork work_;
};

}  // namespace checkers
