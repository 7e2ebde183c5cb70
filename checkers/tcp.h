#pragma once

#include "checkers/probe.h"

namespace checkers {

/// What a tcp check says once connected: nothing; the connection is the verdict.
class TcpConversation final : public Conversation {
 public:
  explicit TcpConversation(const net::Endpoint& target) : target_(target) {}

  std::optional<Result> begin(std::string& out) override;
  std::optional<Result> receive(std::string_view bytes, std::string& out) override;
  Result closed() override;
  [[nodiscard]] std::string doing() const override;

 private:
  net::Endpoint target_;
};

}  // namespace checkers
