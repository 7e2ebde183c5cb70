#include "checkers/probes/http.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ranges>

#include "checkers/text.h"
#include "net/version.h"

namespace checkers {

net::Result<HttpPlan> HttpPlan::prepare(const Http& spec) {
  HttpPlan plan{.spec = spec, .headers = {}, .body = {}};
  for (const auto& [name, match] : spec.expect_headers) {
    auto matcher = Matcher::prepare(match, HttpResponse::head_limit);
    if (!matcher) return std::unexpected(matcher.error());
    plan.headers.emplace(name, std::move(*matcher));
  }
  if (spec.expect_body) {
    auto matcher = Matcher::prepare(*spec.expect_body, spec.max_body);
    if (!matcher) return std::unexpected(matcher.error());
    plan.body = std::move(*matcher);
  }
  return plan;
}

Request HttpPlan::first(const net::Endpoint& target) const {
  Request request{
      .tls = spec.tls.has_value(), .target = target, .host = spec.host, .path = spec.path, .method = spec.method};
  if (request.host.empty()) request.host = authority(to_string(target.address), target.port, request.tls);
  return request;
}

std::string HttpPlan::text(const Request& request) const {
  auto text =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: directord/{}\r\nAccept: */*\r\nConnection: close\r\n",
                  request.method, request.path, request.host, net::version());
  for (const auto& [name, value] : spec.headers) fmt::format_to(std::back_inserter(text), "{}: {}\r\n", name, value);
  if (!spec.authorization.empty()) text += fmt::format("Authorization: {}\r\n", spec.authorization);
  const bool with_body = !spec.body.empty() && request.method == spec.method;
  if (with_body) fmt::format_to(std::back_inserter(text), "Content-Length: {}\r\n", spec.body.size());
  return text + "\r\n" + (with_body ? spec.body : "");
}

HttpConversation::HttpConversation(Request request, const HttpPlan& plan, std::optional<Request>* next)
    : request_(std::move(request)),
      plan_(plan),
      next_(next),
      response_({.bodiless = request_.method == "HEAD", .keep_fields = !plan.headers.empty() || next != nullptr}) {
  if (plan.body) body_.emplace(*plan.body, plan.spec.max_body, Search::Try::when_complete);
}

std::optional<Result> HttpConversation::begin(std::string& out) {
  out += plan_.text(request_);
  return std::nullopt;
}

std::optional<Result> HttpConversation::receive(std::string_view bytes, std::string&) {
  std::string part;
  const auto state = response_.feed(bytes, part);
  if (response_.head_complete() && !head_checked_) {
    if (auto result = redirected()) return result;
    if (auto result = check_head()) return result;
    head_checked_ = true;
    if (!body_) return pass();
  }
  if (head_checked_) {
    if (auto result = check_body(part)) return result;
  }
  if (state == HttpResponse::State::malformed) return failed(doing(), response_.error());
  return std::nullopt;
}

Result HttpConversation::closed() {
  if (response_.close() == HttpResponse::State::malformed) return failed(doing(), response_.error());
  return *check_body({});
}

std::string HttpConversation::doing() const {
  return fmt::format("{} {}://{}{}", request_.method, request_.tls ? "https" : "http", to_string(request_.target),
                     request_.path);
}

std::optional<Result> HttpConversation::redirected() const {
  if (next_ == nullptr || !is_redirect(response_.status())) return std::nullopt;
  const auto location =
      std::ranges::find(response_.fields(), "location", [](const auto& field) { return field.first; });
  if (location == response_.fields().end()) return std::nullopt;
  auto next = follow(request_, response_.status(), location->second);
  if (!next) return failed(doing(), fmt::format("redirected to {}, {}", quote(location->second, 100), next.error()));
  *next_ = std::move(*next);
  return passed(doing(), "redirected");
}

/// The failure that status or fields are; nothing if they are as expected.
std::optional<Result> HttpConversation::check_head() const {
  const auto status = response_.status();
  if (!plan_.spec.status.contains(static_cast<std::uint16_t>(status))) {
    return failed(doing(), fmt::format("status {}, expected {}", status, fmt::join(plan_.spec.status, ", ")));
  }
  for (const auto& [name, matcher] : plan_.headers) {
    auto values = response_.fields() | std::views::filter([&](const auto& field) { return field.first == name; });
    if (std::ranges::none_of(values, [&](const auto& field) { return matcher.find(field.second).has_value(); })) {
      return failed(doing(), values.empty() ? fmt::format("no header {}, expected {}", name, matcher.describe())
                                            : fmt::format("header {}: {}, expected {}", name,
                                                          quote(values.front().second), matcher.describe()));
    }
  }
  return std::nullopt;
}

std::optional<Result> HttpConversation::check_body(std::string_view part) {
  if (body_->feed(part)) return pass();
  const bool complete = response_.state() == HttpResponse::State::complete;
  if (!complete && !body_->full()) return std::nullopt;
  if (body_->finish()) return pass();
  return failed(doing(), fmt::format("{} not in the {} of the body, which begins {}", plan_.body->describe(),
                                     complete ? "whole" : fmt::format("first {} bytes", plan_.spec.max_body),
                                     quote(body_->text())));
}

Result HttpConversation::pass() const {
  return passed(doing(), fmt::format("status {}{}", response_.status(), body_ ? ", body as expected" : ""));
}

}  // namespace checkers
