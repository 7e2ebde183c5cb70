#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/clock.h"
#include "net/error.h"

namespace director {

/// Writes lines to a descriptor that others may share, in a thread, so that nobody waits for whoever reads them: a pipe
/// whose reader has stopped, the journal, a file on a frozen file system. What it holds is bounded; lines beyond that
/// are dropped and counted, and the count is written in their place.
class LogWriter {
 public:
  static constexpr std::size_t default_limit = std::size_t{4} << 20;
  /// How long one write may take before it counts as stalled.
  static constexpr auto patience = std::chrono::milliseconds(500);

  /// The line that takes the place of `dropped` lines, of which the first came at `since`.
  using Notice = std::function<std::string(std::uint64_t dropped, net::WallTime since)>;

  /// `limit`: bytes that wait at most; as many again may be in the hands of the thread. `notice` is called in the
  /// thread. Errors: no descriptors, no threads left.
  static net::Result<std::unique_ptr<LogWriter>> create(int descriptor, Notice notice,
                                                        std::size_t limit = default_limit);

  /// Waits for nothing: what could not be written is lost.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  /// `line` ends with a newline. Never waits.
  void write(std::string_view line);

  /// Waits for `limit` at most until all is written; whether it is.
  bool flush(net::Duration limit);

  struct Trouble {
    net::WallTime since;        ///< the write that does not end, or the first that failed
    std::string why;            ///< "nobody reads it", "the disk does not answer"
    std::uint64_t dropped = 0;  ///< lines since then

    bool operator==(const Trouble&) const = default;
  };
  /// Why lines do not get out at present.
  [[nodiscard]] std::optional<Trouble> trouble() const;

 private:
  struct Shared;
  explicit LogWriter(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  std::shared_ptr<Shared> shared_;  ///< with the thread, which may hang for longer than this lives
};

}  // namespace director
