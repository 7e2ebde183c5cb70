#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "checkers/result.h"
#include "checkers/spec.h"
#include "net/error.h"
#include "net/loop.h"

/// The interfaces of a probe. A Conversation is what is said over a byte stream, without a socket or a clock: bytes in,
/// bytes and a verdict out. A ProbeRun is one probe under way, with its socket; the deadline is its owner's business. A
/// Prober is what all probes of one spec have in common, and begins them.
namespace checkers {

/// Goes on with what slow work has found: called on the loop, while who gave the work lives. Appends to `out` what is
/// to be sent next.
using Proceed = std::move_only_function<std::optional<Result>(std::string& out)>;

/// What would take the loop too long. Called in a thread, and owns all that it uses.
using SlowWork = std::move_only_function<Proceed()>;

/// One exchange with a target over a stream, for a single use. Whatever the peer sends, it holds a bounded amount of
/// memory and reaches a verdict after a bounded number of bytes. After a verdict it is not called again.
class Conversation {
 public:
  virtual ~Conversation() = default;

  /// The stream is connected. Appends to `out` what is to be sent first.
  virtual std::optional<Result> begin(std::string& out) = 0;

  /// The peer sent `bytes`, at least one. Appends to `out` what is to be sent next.
  virtual std::optional<Result> receive(std::string_view bytes, std::string& out) = 0;

  /// The peer will send no more. Without a result there is slow work, which leads to one.
  virtual std::optional<Result> closed() = 0;

  /// After a call without a result: what has to be done in a thread first, told once; null: nothing. Until its Proceed
  /// is called, nothing else is.
  [[nodiscard]] virtual SlowWork take_slow_work() { return nullptr; }

  /// What it is in the middle of, to be completed with ": timed out" and the like: "GET http://10.0.0.7:80/health".
  [[nodiscard]] virtual std::string doing() const = 0;
};

/// One question in a datagram and the datagrams that come back, for a single use; again without a socket or a clock.
class Exchange {
 public:
  virtual ~Exchange() = default;

  /// The datagram to be sent.
  [[nodiscard]] virtual std::string question() = 0;

  /// A datagram from the target; nothing if it is not the answer and the wait goes on.
  virtual std::optional<Result> receive(std::string_view datagram) = 0;

  /// See Conversation::take_slow_work; here it leads to a result.
  [[nodiscard]] virtual SlowWork take_slow_work() { return nullptr; }

  /// See Conversation::doing and ProbeRun::timed_out.
  [[nodiscard]] virtual std::string doing() const = 0;
  [[nodiscard]] virtual Result timed_out(net::Duration timeout) const;
};

/// A probe under way. Destroying it abandons the probe without a result.
class ProbeRun {
 public:
  /// Called at most once, as the last act of one of the loop's handlers: it may destroy the run.
  using OnDone = std::move_only_function<void(Result)>;

  virtual ~ProbeRun() = default;

  /// See Conversation::doing.
  [[nodiscard]] virtual std::string doing() const = 0;

  /// What it means that the deadline has passed: for most kinds a failure.
  [[nodiscard]] virtual Result timed_out(net::Duration timeout) const;
};

/// A probe that has begun: under way, or already over.
using StartedProbe = std::variant<std::unique_ptr<ProbeRun>, Result>;

/// What is made once for a spec: requests, compiled expressions, the TLS context. Outlives its runs.
class Prober {
 public:
  virtual ~Prober() = default;

  /// Begins a probe of `target`, its packets marked with `mark` if it is not 0 (Key::mark). The run must not outlive
  /// the loop.
  [[nodiscard]] virtual StartedProbe start(net::Loop& loop, const net::Endpoint& target, std::uint32_t mark,
                                           ProbeRun::OnDone on_done) const = 0;
};

/// Never null: where a spec cannot be probed (a CA file that is not there, a bad expression), every probe ends as
/// blocked with a sentence that says why. Waits for nothing: what has to be read is read in a thread, when the first
/// probe begins.
[[nodiscard]] std::unique_ptr<Prober> make_prober(const Spec& spec);

/// How probers are made: make_prober(), or what takes its place where the servers are simulated.
using MakeProber = std::function<std::unique_ptr<Prober>(const Spec&)>;

/// The sentences all kinds share.
[[nodiscard]] Result passed(std::string_view doing, std::string_view what);
[[nodiscard]] Result failed(std::string_view doing, std::string_view what);
/// `error` decides whether this host is short of something; 0: it is not. `fault` is Result::local_fault, where `why`
/// alone does not say what is at fault.
[[nodiscard]] Result could_not_run(std::string_view doing, std::string_view why, int error,
                                   std::string_view fault = {});
[[nodiscard]] Result timed_out(std::string_view doing, net::Duration timeout);

}  // namespace checkers
