#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "checkers/probe.h"
#include "checkers/probes/match.h"

namespace checkers {

/// A tcp check's script, made ready.
struct TcpScript {
  using Step = std::variant<Tcp::Send, Matcher>;

  /// How much a server may say without what is expected.
  static constexpr std::size_t answer_limit = 16 * 1024;

  std::vector<Step> steps;

  [[nodiscard]] static net::Result<TcpScript> prepare(const Tcp& spec);
};

/// What a tcp check says once connected. Without a script, nothing: the connection is the verdict.
class TcpConversation final : public Conversation {
 public:
  /// `script` must outlive the conversation.
  TcpConversation(const net::Endpoint& target, const TcpScript& script) : target_(target), script_(script) {}

  std::optional<Result> begin(std::string& out) override;
  std::optional<Result> receive(std::string_view bytes, std::string& out) override;
  std::optional<Result> closed() override;
  [[nodiscard]] SlowWork take_slow_work() override { return std::exchange(work_, nullptr); }
  [[nodiscard]] std::string doing() const override;

 private:
  using Then = std::optional<Result> (TcpConversation::*)(Search::Found found, std::string& out);

  std::optional<Result> proceed(std::string rest, std::string& out);
  std::optional<Result> on_searched(Search::Found found, std::string& out);
  std::optional<Result> on_closed(Search::Found found, std::string& out);
  std::optional<Result> search_in_thread(Then then);

  net::Endpoint target_;
  const TcpScript& script_;
  std::size_t step_ = 0;
  LoopAllowance allowance_;
  std::optional<Search> search_;  ///< while what is expected has not come
  SlowWork work_;
};

}  // namespace checkers
