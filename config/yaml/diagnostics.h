#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

/// What is wrong with a cluster file, and where: collected while reading, shown all at once.
namespace config {

/// One file's name, as it is shown to the user, and its whole text.
struct Source {
  std::string name;
  std::string text;
};

/// A character of a source. Lines and columns count from 1, columns in bytes; line 0 is the file as a whole.
struct Place {
  std::uint32_t source = 0;  ///< which of the sources, counted from 0
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  auto operator<=>(const Place&) const = default;
};

enum class Severity : std::uint8_t {
  error,    ///< the file is refused
  warning,  ///< the file is accepted, and probably does not do what was meant
};

/// One finding, complete in itself: it outlives the text that it is about.
struct Diagnostic {
  Severity severity = Severity::error;
  std::string file;
  std::uint32_t line = 0;           ///< from 1; 0 = the file as a whole
  std::uint32_t column = 0;         ///< from 1, in characters (code points)
  std::string message;              ///< what was found, what was expected, the nearest known name
  std::string source;               ///< the line itself; of a very long one the part around the column
  std::uint32_t source_column = 0;  ///< where `column` is in such a part; 0: `source` is the whole line

  auto operator<=>(const Diagnostic&) const = default;
};

/// "FILE:LINE:COLUMN: error: MESSAGE", then the line with a caret below the column. Ends without a newline.
[[nodiscard]] std::string to_string(const Diagnostic& diagnostic);

/// Each diagnostic, one after the other, each ending with a newline.
[[nodiscard]] std::string to_string(std::span<const Diagnostic> diagnostics);

/// Leaves the reading of a file from within: nobody waits for it any more, or there is more wrong than anybody reads.
/// parse() and load() catch it.
struct ReadingEnded {};

/// Collects findings. The second finding at one place is dropped: it follows from the first.
class Diagnostics {
 public:
  /// When `stop` is requested, reading ends.
  explicit Diagnostics(std::stop_token stop = {}) : stop_(std::move(stop)) {}

  /// To be called now and then by what may take long. Throws ReadingEnded when it was asked to stop.
  void go_on() const {
    if (stop_.stop_requested()) throw ReadingEnded{};
  }
  [[nodiscard]] bool stopped() const { return stop_.stop_requested(); }

  /// Reports an error after which nothing is worth reading. Throws ReadingEnded.
  [[noreturn]] void end(Place place, std::string message);

  /// Throws ReadingEnded after some thousand errors.
  void error(Place place, std::string message);
  void warning(Place place, std::string message);

  [[nodiscard]] bool has_errors() const { return has_errors_; }
  [[nodiscard]] bool any() const { return !findings_.empty(); }

  /// Whether an error was reported at just this place.
  [[nodiscard]] bool has_error_at(Place place) const;

  /// Everything found, in the files' order, errors before warnings at one place; the rest is counted in a last line
  /// when there is much. `sources` are those that the places name.
  [[nodiscard]] std::vector<Diagnostic> in_order(std::span<const Source> sources) const;

 private:
  struct Finding {
    Place place;
    Severity severity;
    std::string message;

    auto operator<=>(const Finding&) const = default;
  };

  void add(Finding finding);

  std::stop_token stop_;
  std::set<Finding> findings_;
  std::size_t dropped_ = 0;  ///< beyond what memory is spent on
  std::size_t errors_ = 0;   ///< with those that were dropped
  bool has_errors_ = false;
};

/// `text` in single quotes, fit for a message: control characters escaped, long text cut.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// "a", "a and b", "a, b and c": names as a sentence lists them; `last` is the word before the last one.
[[nodiscard]] std::string listed(std::span<const std::string> names, std::string_view last = "and");

/// The known name that was probably meant by `name`; empty when none is near.
[[nodiscard]] std::string_view nearest(std::string_view name, std::span<const std::string> known);

/// The end of a sentence about an unknown name: "; did you mean 'interval'?" or, with none near, "; known are a and b".
[[nodiscard]] std::string suggestion(std::string_view name, std::span<const std::string> known);

}  // namespace config
