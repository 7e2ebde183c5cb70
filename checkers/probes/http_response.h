#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checkers/spec.h"

namespace checkers {

/// Reads one HTTP/1.1 response (RFC 9112) from bytes that arrive in any portions. It keeps one line at a time, refuses
/// a head above `head_limit` bytes, skips interim (1xx) responses, and undoes chunked coding. What the RFC lets a
/// recipient forgive, it forgives (a bare LF, a missing reason phrase); what it does not is malformed.
class HttpResponse {
 public:
  static constexpr std::size_t head_limit = regex_header_bytes;  ///< bytes, interim responses and trailers included

  enum class State : std::uint8_t {
    status_line,  ///< nothing decided yet
    fields,       ///< the status is known, the head goes on
    body,         ///< the head is complete
    chunk_size,   ///< before a chunk of the body
    chunk_end,    ///< after a chunk's bytes
    trailers,     ///< after the last chunk
    complete,     ///< all of the message has been seen
    malformed,    ///< not HTTP, or more of it than is allowed: see error()
  };

  struct Options {
    bool bodiless = false;     ///< the request was a HEAD: the response ends with its head
    bool keep_fields = false;  ///< fields() is wanted
  };
  HttpResponse() = default;
  explicit HttpResponse(Options options) : options_(options) {}

  /// Takes bytes until they are used up, or the message is complete or malformed; body bytes are appended to `body`.
  State feed(std::string_view bytes, std::string& body);

  /// The peer closed: completes a body that has no length of its own, and is malformed anywhere else.
  State close();

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] int status() const { return status_; }  ///< 100..599; 0 before the status line
  [[nodiscard]] bool head_complete() const { return state_ >= State::body && state_ <= State::complete; }
  /// The final response's fields, names in lower case.
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }
  [[nodiscard]] const std::string& error() const { return error_; }  ///< why it is malformed

 private:
  enum class Framing : std::uint8_t { none, length, chunked, until_close };

  void take_line(std::string_view line);
  void take_status_line(std::string_view line);
  void take_field(std::string_view line);
  void take_chunk_size(std::string_view line);
  void end_head();
  std::size_t take_body(std::string_view bytes, std::string& body);
  void fail(std::string why);

  Options options_;
  State state_ = State::status_line;
  int status_ = 0;
  Framing framing_ = Framing::none;
  bool has_length_ = false;
  std::uint64_t remaining_ = 0;  ///< body or chunk bytes still to come
  std::size_t head_bytes_ = 0;
  std::vector<std::pair<std::string, std::string>> fields_;
  std::string line_;  ///< the part of the current line that has arrived
  std::string error_;
};

}  // namespace checkers
