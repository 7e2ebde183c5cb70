// RFC 5321 section 4.2.1: a reply is lines of three digits, '-' on all but the last or a space (or nothing) on it,
// text.
#include "checkers/probes/smtp.h"

#include <fmt/format.h>

#include <charconv>

#include "checkers/text.h"

namespace checkers {

net::Result<SmtpPlan> SmtpPlan::prepare(const Smtp& spec) {
  SmtpPlan plan{.spec = spec, .starttls = {}};
  if (!spec.starttls) return plan;
  auto context = TlsContext::prepare(spec.tls.value_or(Tls{}), "");
  if (!context) return std::unexpected(context.error());
  plan.starttls = std::move(*context);
  return plan;
}

std::optional<Result> SmtpConversation::begin(std::string& out) {
  // Inside a tunnel that began with STARTTLS the server does not greet again.
  if (stage_ == Stage::secure_ehlo) ask(stage_, "EHLO " + plan_.spec.helo, out);
  return std::nullopt;
}

std::optional<Result> SmtpConversation::receive(std::string_view bytes, std::string& out) {
  if (stage_ == Stage::tunnel) return tunnel_->receive(bytes, out);
  received_ += bytes.size();
  if (received_ > reply_limit) return failed(doing(), fmt::format("answered more than {} bytes", reply_limit));
  line_ += bytes;
  for (std::size_t end; stage_ != Stage::tunnel && (end = line_.find('\n')) != std::string::npos;) {
    auto line = line_.substr(0, end);
    line_.erase(0, end + 1);
    if (line.ends_with('\r')) line.pop_back();
    int code = 0;
    const auto [stop, error] = std::from_chars(line.data(), line.data() + std::min<std::size_t>(line.size(), 3), code);
    const bool well_formed = error == std::errc{} && stop == line.data() + 3 && code >= 200 && code <= 599 &&
                             (line.size() == 3 || line[3] == ' ' || line[3] == '-');
    if (!well_formed) return failed(doing(), fmt::format("not an SMTP reply: {}", quote(line)));
    if (stage_ == Stage::ehlo && line.size() > 4 && std::string_view(line).substr(4) == "STARTTLS")
      offers_starttls_ = true;
    if (line.size() > 3 && line[3] == '-') continue;
    if (auto result = take_reply(code, line, out)) return result;
  }
  return std::nullopt;
}

/// The last line of a reply has come.
std::optional<Result> SmtpConversation::take_reply(int code, std::string_view line, std::string& out) {
  const auto refused = [&] { return failed(doing(), quote(line, 80)); };
  switch (stage_) {
    case Stage::greeting:
      if (code != 220) return refused();
      ask(Stage::ehlo, "EHLO " + plan_.spec.helo, out);
      return std::nullopt;
    case Stage::ehlo:
      if (code == 250 && plan_.starttls) {
        if (!offers_starttls_) return failed(doing(), "STARTTLS is not offered");
        ask(Stage::starttls, "STARTTLS", out);
        return std::nullopt;
      }
      if (code >= 500 && !plan_.starttls) {
        ask(Stage::helo, "HELO " + plan_.spec.helo, out);
        return std::nullopt;
      }
      [[fallthrough]];
    case Stage::helo:
    case Stage::secure_ehlo:
      if (code != 250) return refused();
      ask(Stage::quit, "QUIT", out);
      return std::nullopt;
    case Stage::starttls:
      if (code != 220) return refused();
      // What came before the tunnel must not be taken for its content (RFC 3207 section 6).
      if (!line_.empty()) return failed(doing(), "sent data before the TLS handshake");
      tunnel_ = plan_.starttls->wrap(
          target_, std::unique_ptr<Conversation>(new SmtpConversation(target_, plan_, Stage::secure_ehlo)));
      stage_ = Stage::tunnel;
      return tunnel_->begin(out);
    case Stage::quit:
      return passed(doing(), "answered");
    case Stage::tunnel:
      break;
  }
  return std::nullopt;
}

void SmtpConversation::ask(Stage next, std::string_view command, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{}\r\n", command);
  stage_ = next;
}

std::optional<Result> SmtpConversation::closed() {
  if (stage_ == Stage::tunnel) return tunnel_->closed();
  if (stage_ == Stage::quit) return passed(doing(), "answered");
  return failed(doing(), "closed without an answer");
}

std::string SmtpConversation::doing() const {
  const auto at = [&](std::string_view step) { return fmt::format("smtp {}{}", to_string(target_), step); };
  switch (stage_) {
    case Stage::greeting:
      return at(": greeting");
    case Stage::ehlo:
      return at(": EHLO");
    case Stage::helo:
      return at(": HELO");
    case Stage::starttls:
      return at(": STARTTLS");
    case Stage::tunnel:
      return tunnel_->doing();
    case Stage::secure_ehlo:
      return at(": EHLO inside TLS");
    case Stage::quit:
      return at("");
  }
  return at("");
}

}  // namespace checkers
