#include "checkers/probes/match.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cstring>

#include "checkers/text.h"

namespace checkers {
namespace {

/// Enough for any sane pattern; RE2 needs it for its automaton and never takes more.
constexpr std::int64_t regex_memory = 256 * 1024;

}  // namespace

Matcher::Matcher(Match match) : match_(std::move(match)) {}
Matcher::Matcher(Matcher&&) noexcept = default;
Matcher& Matcher::operator=(Matcher&&) noexcept = default;
Matcher::~Matcher() = default;

net::Result<Matcher> Matcher::prepare(const Match& match, std::uint64_t bytes) {
  Matcher matcher(match);
  if (match.kind == Match::Kind::text) return matcher;
  re2::RE2::Options options;
  options.set_encoding(re2::RE2::Options::EncodingLatin1);  // bytes, not characters
  options.set_log_errors(false);
  options.set_max_mem(regex_memory);
  matcher.regex_ = std::make_unique<re2::RE2>(match.what, options);
  if (!matcher.regex_->ok()) {
    return net::failure(fmt::format("regular expression {}: {}", quote(match.what), matcher.regex_->error()));
  }
  // On hostile text RE2's automaton outgrows its memory: then each byte may cost every instruction.
  if (matcher.instructions() * bytes > regex_work_max) {
    return net::failure(fmt::format("regular expression {}: {} instructions are too many for {} bytes",
                                    quote(match.what), matcher.instructions(), bytes));
  }
  return matcher;
}

std::uint64_t Matcher::instructions() const { return regex_ ? static_cast<std::uint64_t>(regex_->ProgramSize()) : 0; }

std::optional<std::size_t> Matcher::find(std::string_view text) const {
  if (!regex_) {
    // Linear in both, on text that is made to be slow too: string_view::find() is not.
    const void* at = memmem(text.data(), text.size(), match_.what.data(), match_.what.size());
    if (at == nullptr) return std::nullopt;
    return static_cast<std::size_t>(static_cast<const char*>(at) - text.data()) + match_.what.size();
  }
  re2::StringPiece found;
  if (!regex_->Match({text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED, &found, 1)) return std::nullopt;
  return static_cast<std::size_t>(found.data() - text.data()) + found.size();
}

std::string Matcher::describe() const { return regex_ ? "/" + match_.what + "/" : quote(match_.what); }

std::optional<std::size_t> SlowSearch::run() const { return Matcher::prepare(match, text.size()).value().find(text); }

Search::Found Search::feed(std::string_view bytes) {
  const auto kept = bytes.substr(0, limit_ - std::min(limit_, text_.size()));
  text_ += kept;
  beyond_ = bytes.substr(kept.size());
  if (matcher_->is_regex()) {
    if (when_ == Try::when_complete) return Found::no;
    if (!full() && text_.size() > 4096 && text_.size() < looked_ + looked_ / 8) return Found::no;
  }
  const auto overlap = matcher_->is_regex() ? looked_ : std::max<std::size_t>(matcher_->text_length(), 1) - 1;
  return look(looked_ - std::min(looked_, overlap));
}

Search::Found Search::finish() {
  if (looked_ == text_.size() && when_ != Try::when_complete) return Found::no;
  return look(matcher_->is_regex() ? 0 : looked_ - std::min(looked_, matcher_->text_length()));
}

SlowSearch Search::slow_search() const { return {.match = matcher_->match(), .text = text_.substr(from_)}; }

Search::Found Search::take(std::optional<std::size_t> end) {
  looked_ = text_.size();
  if (!end) return Found::no;
  rest_ = text_.substr(from_ + *end) + beyond_;
  return Found::yes;
}

Search::Found Search::look(std::size_t from) {
  from_ = from;
  const auto text = std::string_view(text_).substr(from);
  return allowance_->take(matcher_->work(text.size())) ? take(matcher_->find(text)) : Found::slow;
}

}  // namespace checkers
