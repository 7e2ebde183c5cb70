// RFC 9112:
//   HTTP-message = status-line CRLF *( field-line CRLF ) CRLF [ message-body ]      section 2.1
//   status-line  = HTTP-version SP status-code SP [ reason-phrase ]                 section 4
//   field-line   = field-name ":" OWS field-value OWS                               section 5
//   chunk        = chunk-size [ chunk-ext ] CRLF chunk-data CRLF                    section 7.1
// How long a body is: section 6.3.
#include "checkers/probes/http_response.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "checkers/text.h"
#include "net/ascii.h"

namespace checkers {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_token_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").contains(c);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// The whole of `digits` as a number; nothing for an empty, signed or too large one.
std::optional<std::uint64_t> number(std::string_view digits, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace

HttpResponse::State HttpResponse::feed(std::string_view bytes, std::string& body) {
  while (!bytes.empty() && state_ != State::complete && state_ != State::malformed) {
    if (state_ == State::body) {
      bytes.remove_prefix(take_body(bytes, body));
      continue;
    }
    const auto end = bytes.find('\n');
    const auto part = bytes.substr(0, end == std::string_view::npos ? end : end + 1);
    // Chunk-size lines are not part of the head, but one of them is not worth more than a head either.
    const bool in_body = state_ == State::chunk_size || state_ == State::chunk_end;
    const auto used = in_body ? line_.size() + part.size() : head_bytes_ += part.size();
    if (used > head_limit) {
      fail(fmt::format("{} larger than {} bytes", in_body ? "chunk size line" : "header", head_limit));
      break;
    }
    line_ += part;
    bytes.remove_prefix(part.size());
    if (end == std::string_view::npos) break;
    line_.pop_back();
    if (line_.ends_with('\r')) line_.pop_back();
    take_line(line_);
    line_.clear();
  }
  return state_;
}

HttpResponse::State HttpResponse::close() {
  if (state_ == State::complete || state_ == State::malformed) return state_;
  if (state_ == State::body && framing_ == Framing::until_close) return state_ = State::complete;
  fail(state_ == State::status_line && head_bytes_ == 0 ? "closed without an answer"
       : state_ <= State::fields                        ? "closed inside the header"
                                                        : "closed inside the body");
  return state_;
}

void HttpResponse::take_line(std::string_view line) {
  switch (state_) {
    case State::status_line:
      return take_status_line(line);
    case State::fields:
      return line.empty() ? end_head() : take_field(line);
    case State::chunk_size:
      return take_chunk_size(line);
    case State::chunk_end:
      if (!line.empty()) return fail("chunk longer than its size");
      state_ = State::chunk_size;
      return;
    case State::trailers:
      if (line.empty()) state_ = State::complete;
      return;
    case State::body:
    case State::complete:
    case State::malformed:
      return;
  }
}

void HttpResponse::take_status_line(std::string_view line) {
  const auto version = line.substr(0, 9);
  const auto code = line.substr(std::min<std::size_t>(line.size(), 9), 3);
  const auto rest = line.substr(std::min<std::size_t>(line.size(), 12));
  const bool good = (version == "HTTP/1.1 " || version == "HTTP/1.0 ") && code.size() == 3 &&
                    std::ranges::all_of(code, is_digit) && code[0] >= '1' && code[0] <= '5' &&
                    (rest.empty() || rest[0] == ' ');
  if (!good) return fail("not an HTTP status line: " + quote(line));
  status_ = static_cast<int>(*number(code, 10));
  framing_ = Framing::none;
  has_length_ = false;
  fields_.clear();
  state_ = State::fields;
}

void HttpResponse::take_field(std::string_view line) {
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  if (colon == std::string_view::npos || name.empty() || !std::ranges::all_of(name, is_token_char)) {
    return fail("malformed header field: " + quote(line));
  }
  const auto value = trim(line.substr(colon + 1));
  if (value.find('\0') != std::string_view::npos || value.contains('\r')) {
    return fail("malformed header field: " + quote(line));
  }
  if (options_.keep_fields) {
    fields_.emplace_back(net::to_lower(name), value);
  }
  if (net::equals_ignore_case(name, "transfer-encoding")) {
    // A probe sends no TE, so chunked alone can be here; anything else could not be decoded.
    if (!net::equals_ignore_case(value, "chunked")) return fail("unsupported transfer coding: " + quote(value));
    framing_ = Framing::chunked;
  } else if (net::equals_ignore_case(name, "content-length")) {
    const auto length = number(value, 10);
    if (!length) return fail("malformed content length: " + quote(value));
    if (has_length_ && *length != remaining_) return fail("contradicting content lengths");
    has_length_ = true;
    remaining_ = *length;
  }
}

void HttpResponse::end_head() {
  if (status_ < 200 && status_ != 101) {
    state_ = State::status_line;
    return;
  }
  if (options_.bodiless || status_ == 101 || status_ == 204 || status_ == 304) {
    state_ = State::complete;
  } else if (framing_ == Framing::chunked) {
    state_ = State::chunk_size;
  } else if (has_length_) {
    framing_ = Framing::length;
    state_ = remaining_ == 0 ? State::complete : State::body;
  } else {
    framing_ = Framing::until_close;
    state_ = State::body;
  }
}

void HttpResponse::take_chunk_size(std::string_view line) {
  const auto size = number(trim(line.substr(0, line.find(';'))), 16);
  if (!size) return fail("malformed chunk size: " + quote(line));
  remaining_ = *size;
  state_ = remaining_ == 0 ? State::trailers : State::body;
}

std::size_t HttpResponse::take_body(std::string_view bytes, std::string& body) {
  if (framing_ == Framing::until_close) {
    body += bytes;
    return bytes.size();
  }
  const auto part = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size())));
  body += part;
  remaining_ -= part.size();
  if (remaining_ == 0) state_ = framing_ == Framing::chunked ? State::chunk_end : State::complete;
  return part.size();
}

void HttpResponse::fail(std::string why) {
  state_ = State::malformed;
  error_ = std::move(why);
  line_ = {};
}

}  // namespace checkers
