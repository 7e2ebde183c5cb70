#pragma once

#include <map>
#include <optional>
#include <string>

#include "checkers/http_response.h"
#include "checkers/match.h"
#include "checkers/probe.h"

namespace checkers {

/// An http check made ready.
struct HttpPlan {
  Http spec;
  std::map<std::string, Matcher> headers;  ///< by name in lower case
  std::optional<Matcher> body;

  [[nodiscard]] static net::Result<HttpPlan> prepare(const Http& spec);

  [[nodiscard]] std::string request(const net::Endpoint& target) const;
};

/// One request over HTTP/1.1. Judged by status and fields once the head is complete, and by the body where one is
/// expected; what is not asked for is not read.
class HttpConversation final : public Conversation {
 public:
  /// `plan` must outlive the conversation.
  HttpConversation(const net::Endpoint& target, const HttpPlan& plan);

  std::optional<Result> begin(std::string& out) override;
  std::optional<Result> receive(std::string_view bytes, std::string& out) override;
  Result closed() override;
  [[nodiscard]] std::string doing() const override;

 private:
  [[nodiscard]] std::optional<Result> judge_head() const;
  [[nodiscard]] std::optional<Result> judge_body(std::string_view part);
  [[nodiscard]] Result pass() const;

  net::Endpoint target_;
  const HttpPlan& plan_;
  HttpResponse response_;
  bool head_judged_ = false;
  std::optional<Search> body_;
};

}  // namespace checkers
