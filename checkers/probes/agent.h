#pragma once

#include "checkers/probe.h"

namespace checkers {

/// The agent's line, up to its end or the end of the stream.
class AgentConversation final : public Conversation {
 public:
  static constexpr std::size_t line_limit = 1024;

  /// `spec` must outlive the conversation.
  AgentConversation(const net::Endpoint& target, const Agent& spec) : target_(target), spec_(spec) {}

  std::optional<Result> begin(std::string& out) override;
  std::optional<Result> receive(std::string_view bytes, std::string& out) override;
  std::optional<Result> closed() override;
  [[nodiscard]] std::string doing() const override;

 private:
  net::Endpoint target_;
  const Agent& spec_;
  std::string line_;
};

/// The result of a check that ends with a line of the agent language.
[[nodiscard]] Result result_of_advice(std::string_view doing, std::string_view line);

}  // namespace checkers
