#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "checkers/spec.h"
#include "net/error.h"

namespace re2 {
class RE2;
}

namespace checkers {

/// A Match made ready: the regular expression compiled, in bounded memory; looking for it takes time linear in the
/// text and in the expression's program.
class Matcher {
 public:
  /// An error says what is wrong with the expression, or that on so many `bytes`, which it looks at at once, it could
  /// cost more than regex_work_max.
  static net::Result<Matcher> prepare(const Match& match, std::uint64_t bytes);

  Matcher(Matcher&&) noexcept;
  Matcher& operator=(Matcher&&) noexcept;
  ~Matcher();

  /// Whether it is an expression, whose match may begin anywhere in a growing text.
  [[nodiscard]] bool is_regex() const { return regex_ != nullptr; }

  /// The number of instructions that a byte may cost; 0 for text.
  [[nodiscard]] std::uint64_t instructions() const;

  /// What a search in so many bytes may cost, as in regex_work_max.
  [[nodiscard]] std::uint64_t work(std::size_t bytes) const { return instructions() * bytes; }

  [[nodiscard]] const Match& match() const { return match_; }

  /// How long a text is that matches only itself; 0 for an expression.
  [[nodiscard]] std::size_t text_length() const { return regex_ ? 0 : match_.what.size(); }

  /// The position just behind the first occurrence in `text`; nothing if it does not occur.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view text) const;

  /// How it is named in a sentence: "\"+PONG\"", "/^220 .*ESMTP/".
  [[nodiscard]] std::string describe() const;

 private:
  explicit Matcher(Match match);

  Match match_;
  std::unique_ptr<re2::RE2> regex_;
};

/// What the expressions of a probe may cost on the loop in all, as in regex_work_max: a millisecond.
inline constexpr std::uint64_t regex_loop_work_max = 200'000;

/// What of that is left.
class LoopAllowance {
 public:
  /// Whether so much is left, which is spent now.
  bool take(std::uint64_t work) {
    if (work > left_) return false;
    left_ -= work;
    return true;
  }

 private:
  std::uint64_t left_ = regex_loop_work_max;
};

/// A search for a thread: the expression is compiled anew, since searches with the same one may wait for each other.
struct SlowSearch {
  Match match;
  std::string text;

  [[nodiscard]] std::optional<std::size_t> run() const;  ///< as Matcher::find
};

/// Looks for a match in bytes that arrive in portions, keeping at most `limit` of them.
class Search {
 public:
  enum class Found : std::uint8_t {
    no,
    yes,
    slow,  ///< nobody has looked yet, since it costs more than the allowance: to be done by slow_search()
  };

  /// When an expression is tried. On text that is not all there yet its '$' and '\b' match at the end of what is.
  enum class Try { as_it_comes, when_complete };

  /// `matcher` and `allowance` must outlive the search.
  Search(const Matcher& matcher, std::size_t limit, LoopAllowance& allowance, Try when = Try::as_it_comes)
      : matcher_(&matcher), limit_(limit), allowance_(&allowance), when_(when) {}

  /// Takes bytes, as far as the limit allows. Once the match has been found, rest() is what came behind it. A peer that
  /// sends byte by byte cannot make this quadratic: beyond 4 KiB an expression is tried only when the text has grown by
  /// an eighth, and once more by finish().
  Found feed(std::string_view bytes);

  /// No more will come: looks a last time.
  Found finish();

  /// After Found::slow: the search, and its result. Between the two no other call.
  [[nodiscard]] SlowSearch slow_search() const;
  Found take(std::optional<std::size_t> end);

  [[nodiscard]] bool full() const { return text_.size() >= limit_; }
  [[nodiscard]] const std::string& text() const { return text_; }  ///< what has arrived, before it was found
  [[nodiscard]] std::string_view rest() const { return rest_; }    ///< only after Found::yes; valid until the next call

 private:
  Found look(std::size_t from);

  const Matcher* matcher_;
  std::size_t limit_;
  LoopAllowance* allowance_;
  Try when_;
  std::size_t from_ = 0;    ///< where the last search began
  std::size_t looked_ = 0;  ///< so much of the text has been searched in vain
  std::string text_;
  std::string beyond_;  ///< what came last, above the limit
  std::string rest_;
};

}  // namespace checkers
