#pragma once

#include "checkers/http_response.h"
#include "checkers/probe.h"

namespace checkers {

/// GET over HTTP/1.1, judged by the status once the head is complete; the body is not read.
class HttpConversation final : public Conversation {
 public:
  HttpConversation(const net::Endpoint& target, const Http& spec);

  std::optional<Result> begin(std::string& out) override;
  std::optional<Result> receive(std::string_view bytes, std::string& out) override;
  Result closed() override;
  [[nodiscard]] std::string doing() const override;

 private:
  [[nodiscard]] Result malformed() const;

  net::Endpoint target_;
  Http spec_;
  HttpResponse response_;
};

}  // namespace checkers
