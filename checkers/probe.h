#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "checkers/result.h"
#include "checkers/spec.h"
#include "net/loop.h"

/// The two faces of a probe. A Conversation is what is said over a byte stream, without a socket or a clock: bytes in,
/// bytes and a verdict out. A Flight is one probe under way, with its socket; the deadline is its owner's business.
namespace checkers {

/// One exchange with a target over a stream, for a single use. Whatever the peer sends, it holds a bounded amount of
/// memory and reaches a verdict after a bounded number of bytes. After a verdict it is not called again.
class Conversation {
 public:
  virtual ~Conversation() = default;

  /// The stream stands. Appends to `out` what is to be sent first.
  virtual std::optional<Result> begin(std::string& out) = 0;

  /// The peer sent `bytes`, at least one. Appends to `out` what is to be sent next.
  virtual std::optional<Result> receive(std::string_view bytes, std::string& out) = 0;

  /// The peer will send no more.
  virtual Result closed() = 0;

  /// What it is in the middle of, to be completed with ": timed out" and the like: "GET http://10.0.0.7:80/health".
  [[nodiscard]] virtual std::string doing() const = 0;
};

/// A probe under way. Destroying it abandons the probe without a result.
class Flight {
 public:
  /// Called at most once, as the last act of one of the loop's handlers: it may destroy the flight.
  using OnLanded = std::move_only_function<void(Result)>;

  virtual ~Flight() = default;

  /// See Conversation::doing.
  [[nodiscard]] virtual std::string doing() const = 0;
};

/// A probe that has begun: under way, or already over.
using Launched = std::variant<std::unique_ptr<Flight>, Result>;

/// Begins the probe that `key` asks for. `key` is not needed afterwards; the flight must not outlive the loop.
[[nodiscard]] Launched launch(net::Loop& loop, const Key& key, Flight::OnLanded on_landed);

}  // namespace checkers
