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
  /// An error says what is wrong with the expression, or that on so many `bytes`, which it looks at in one turn of the
  /// loop, it could cost more than regex_work_max.
  static net::Result<Matcher> prepare(const Match& match, std::uint64_t bytes);

  Matcher(Matcher&&) noexcept;
  Matcher& operator=(Matcher&&) noexcept;
  ~Matcher();

  /// Whether it is an expression, whose match may begin anywhere in a growing text.
  [[nodiscard]] bool is_regex() const { return regex_ != nullptr; }

  /// The number of instructions that a byte may cost; 0 for text.
  [[nodiscard]] std::uint64_t instructions() const;

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

/// Looks for a match in bytes that arrive in portions, keeping at most `limit` of them.
class Search {
 public:
  /// When an expression is tried. On text that is not all there yet its '$' and '\b' match at the end of what is.
  enum class Try { as_it_comes, when_complete };

  /// `matcher` must outlive the search.
  Search(const Matcher& matcher, std::size_t limit, Try when = Try::as_it_comes)
      : matcher_(&matcher), limit_(limit), when_(when) {}

  /// Takes bytes, as far as the limit allows. True once the match has been found; then rest() is what came behind it. A
  /// peer that sends byte by byte cannot make this quadratic: beyond 4 KiB an expression is tried only when the text
  /// has grown by an eighth, and once more by finish().
  bool feed(std::string_view bytes);

  /// No more will come: looks a last time.
  bool finish();

  [[nodiscard]] bool full() const { return text_.size() >= limit_; }
  [[nodiscard]] const std::string& text() const { return text_; }  ///< what has arrived, before it was found
  [[nodiscard]] std::string_view rest() const {
    return rest_;
  }  ///< only after feed() was true; valid until the next call

 private:
  bool look(std::size_t from);

  const Matcher* matcher_;
  std::size_t limit_;
  Try when_;
  std::size_t looked_ = 0;  ///< so much of the text has been searched in vain
  std::string text_;
  std::string rest_;
};

}  // namespace checkers
