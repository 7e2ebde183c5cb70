#pragma once

#include "test/catch.h"
#include "test/unit/checkers/shell.h"

/// The result of one probe; what hangs has failed after half a second.
inline checkers::Result probe(const net::Endpoint& target, checkers::Kind kind,
                              std::chrono::milliseconds timeout = std::chrono::seconds(5)) {
  return Shell().first_result(check(target, std::move(kind), timeout));
}

inline void passes(const net::Endpoint& target, checkers::Kind kind, const std::string& words = "") {
  const auto result = probe(target, std::move(kind));
  INFO(result.sentence);
  CHECK(result.outcome == checkers::Outcome::passed);
  CHECK(result.sentence.find(words) != std::string::npos);
}

inline void fails(const net::Endpoint& target, checkers::Kind kind, const std::string& words) {
  const auto result = probe(target, std::move(kind));
  INFO(result.sentence);
  CHECK(result.outcome == checkers::Outcome::failed);
  CHECK(result.sentence.find(words) != std::string::npos);
}

/// Fails by the deadline, and not much later.
inline void times_out(const net::Endpoint& target, checkers::Kind kind) {
  const auto result = probe(target, std::move(kind), std::chrono::milliseconds(300));
  INFO(result.sentence);
  CHECK(result.outcome == checkers::Outcome::failed);
  CHECK(result.sentence.ends_with(": timed out after 300 ms"));
  CHECK(result.took < std::chrono::seconds(1));
}

inline checkers::Match text(std::string what) { return {.what = std::move(what)}; }
inline checkers::Match regex(std::string what) {
  return {.what = std::move(what), .kind = checkers::Match::Kind::regex};
}

/// A tcp check that says something and expects something.
inline checkers::Tcp dialogue(std::string send, checkers::Match expect) {
  checkers::Tcp tcp;
  if (!send.empty()) tcp.script.emplace_back(checkers::Tcp::Send{std::move(send)});
  tcp.script.emplace_back(std::move(expect));
  return tcp;
}
