#pragma once

#include <memory>
#include <optional>
#include <string>

#include "checkers/probe.h"
#include "checkers/probes/tls.h"

namespace checkers {

/// An smtp check made ready.
struct SmtpPlan {
  Smtp spec;
  std::optional<TlsContext> starttls;

  [[nodiscard]] static net::Result<SmtpPlan> prepare(const Smtp& spec);
};

/// RFC 5321 as far as EHLO and QUIT: 220 greeting, 250 to EHLO (or to HELO, where EHLO is not known); with STARTTLS
/// (RFC 3207) in between, and EHLO again inside. A server that closes instead of answering QUIT passes.
class SmtpConversation final : public Conversation {
 public:
  static constexpr std::size_t reply_limit = 16 * 1024;

  /// `plan` must outlive the conversation.
  SmtpConversation(const net::Endpoint& target, const SmtpPlan& plan)
      : SmtpConversation(target, plan, Stage::greeting) {}

  std::optional<Result> begin(std::string& out) override;
  std::optional<Result> receive(std::string_view bytes, std::string& out) override;
  std::optional<Result> closed() override;
  [[nodiscard]] std::string doing() const override;

 private:
  enum class Stage { greeting, ehlo, helo, starttls, tunnel, secure_ehlo, quit };

  SmtpConversation(const net::Endpoint& target, const SmtpPlan& plan, Stage stage)
      : target_(target), plan_(plan), stage_(stage) {}

  std::optional<Result> take_reply(int code, std::string_view line, std::string& out);
  void ask(Stage next, std::string_view command, std::string& out);

  net::Endpoint target_;
  const SmtpPlan& plan_;
  Stage stage_;
  std::string line_;
  std::size_t received_ = 0;
  bool offers_starttls_ = false;
  std::unique_ptr<Conversation> tunnel_;
};

}  // namespace checkers
