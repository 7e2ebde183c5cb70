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

std::optional<std::string> HttpPlan::wrong_header(const Fields& fields) const {
  for (const auto& [name, matcher] : headers) {
    auto values = fields | std::views::filter([&](const auto& field) { return field.first == name; });
    if (std::ranges::any_of(values, [&](const auto& field) { return matcher.find(field.second).has_value(); }))
      continue;
    if (values.empty()) return fmt::format("no header {}, expected {}", name, matcher.describe());
    return fmt::format("header {}: {}, expected {}", name, quote(values.front().second), matcher.describe());
  }
  return std::nullopt;
}

std::uint64_t HttpPlan::header_work(const Fields& fields) const {
  std::uint64_t work = 0;
  for (const auto& [name, value] : fields) {
    if (const auto matcher = headers.find(name); matcher != headers.end()) work += matcher->second.work(value.size());
  }
  return work;
}

HttpConversation::HttpConversation(Request request, const HttpPlan& plan, std::optional<Request>* next)
    : request_(std::move(request)),
      plan_(plan),
      next_(next),
      response_({.bodiless = request_.method == "HEAD", .keep_fields = !plan.headers.empty() || next != nullptr}) {
  if (plan.body) body_.emplace(*plan.body, plan.spec.max_body, allowance_, Search::Try::when_complete);
}

std::optional<Result> HttpConversation::begin(std::string& out) {
  out += plan_.text(request_);
  return std::nullopt;
}

std::optional<Result> HttpConversation::receive(std::string_view bytes, std::string&) {
  response_.feed(bytes, part_);
  if (!response_.head_complete() || head_checked_) return go_on();
  if (auto result = redirected()) return result;
  return check_head();
}

std::optional<Result> HttpConversation::closed() {
  if (response_.close() == HttpResponse::State::malformed) return failed(doing(), response_.error());
  return check_body();
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

std::optional<Result> HttpConversation::check_head() {
  const auto status = response_.status();
  if (!plan_.spec.status.contains(static_cast<std::uint16_t>(status))) {
    return failed(doing(), fmt::format("status {}, expected {}", status, fmt::join(plan_.spec.status, ", ")));
  }
  if (allowance_.take(plan_.header_work(response_.fields()))) return on_headers(plan_.wrong_header(response_.fields()));
  work_ = [this, spec = plan_.spec, fields = response_.fields()]() -> Proceed {
    return [this, wrong = HttpPlan::prepare(spec).value().wrong_header(fields)](std::string&) {
      return on_headers(wrong);
    };
  };
  return std::nullopt;
}

std::optional<Result> HttpConversation::on_headers(const std::optional<std::string>& wrong) {
  if (wrong) return failed(doing(), *wrong);
  head_checked_ = true;
  return body_ ? go_on() : pass();
}

std::optional<Result> HttpConversation::go_on() {
  if (head_checked_) {
    if (auto result = check_body(); result || work_) return result;
  }
  if (response_.state() == HttpResponse::State::malformed) return failed(doing(), response_.error());
  return std::nullopt;
}

std::optional<Result> HttpConversation::check_body() {
  if (body_->feed(std::exchange(part_, {})) == Search::Found::yes) return pass();
  if (!complete() && !body_->full()) return std::nullopt;
  const auto found = body_->finish();
  if (found != Search::Found::slow) return on_body(found == Search::Found::yes);
  work_ = [this, search = body_->slow_search()]() -> Proceed {
    return [this, found = search.run().has_value()](std::string&) { return on_body(found); };
  };
  return std::nullopt;
}

Result HttpConversation::on_body(bool as_expected) const {
  if (as_expected) return pass();
  return failed(doing(), fmt::format("{} not in the {} of the body, which begins {}", plan_.body->describe(),
                                     complete() ? "whole" : fmt::format("first {} bytes", plan_.spec.max_body),
                                     quote(body_->text())));
}

Result HttpConversation::pass() const {
  return passed(doing(), fmt::format("status {}{}", response_.status(), body_ ? ", body as expected" : ""));
}

}  // namespace checkers
