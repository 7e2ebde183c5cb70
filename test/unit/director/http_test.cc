#include <thread>

#include "director/control/http_client.h"
#include "director/control/http_server.h"
#include "director/daemon/runtime.h"
#include "scratch.h"
#include "test/catch.h"

using director::http_request;
using director::HttpServer;

namespace {

/// Asks from a second thread while this one turns the loop.
net::Result<director::Answer> ask_while_serving(net::Loop& loop, const std::filesystem::path& socket,
                                                const std::string& method, const std::string& path,
                                                const std::string& body) {
  net::Result<director::Answer> answer;
  std::atomic<bool> done = false;
  std::jthread client([&] {
    answer = http_request(socket, method, path, body);
    done = true;
  });
  while (!done) REQUIRE(loop.turn(std::chrono::milliseconds(5)));
  return answer;
}

}  // namespace

TEST_CASE("requests reach the handler and answers reach the client") {
  const director_test::Scratch scratch;
  auto loop = net::Loop::create().value();
  const auto socket = scratch.path / "control.sock";
  const auto server =
      HttpServer::listen(loop, socket, [](const director::Request& request, HttpServer::Respond respond) {
        respond({.status = 202, .body = request.method + " " + request.path + " " + request.body});
      });
  REQUIRE(server);
  const auto mode = std::filesystem::status(socket).permissions();
  CHECK(mode == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));

  auto answer = ask_while_serving(loop, socket, "PUT", "/a/b", "hello");
  REQUIRE(answer);
  CHECK(answer->status == 202);
  CHECK(answer->body == "PUT /a/b hello");

  answer = ask_while_serving(loop, socket, "GET", "/", "");
  REQUIRE(answer);
  CHECK(answer->body == "GET / ");

  answer = ask_while_serving(loop, socket, "PUT", "/", std::string(100'000, 'x'));
  REQUIRE(answer);
  CHECK(answer->status == 413);
}

TEST_CASE("an answer may come later; what is unanswered when the server ends is told so") {
  const director_test::Scratch scratch;
  auto loop = net::Loop::create().value();
  const auto socket = scratch.path / "control.sock";
  HttpServer::Respond kept;
  bool server_ends = false;
  auto server = HttpServer::listen(loop, socket, [&](const director::Request& request, HttpServer::Respond respond) {
    if (request.path == "/never") {
      kept = std::move(respond);
      loop.after(std::chrono::milliseconds(1), [&] { server_ends = true; });
      return;
    }
    loop.after(std::chrono::milliseconds(1), [respond = std::move(respond), query = request.query]() mutable {
      respond({.body = "later " + query.at("since") + query.at("a b")});
    });
  });
  REQUIRE(server);
  const auto answer = ask_while_serving(loop, socket, "GET", "/later?since=5&a%20b=c", "");
  REQUIRE(answer);
  CHECK(answer->body == "later 5c");

  net::Result<director::Answer> unanswered;
  std::jthread client([&] { unanswered = http_request(socket, "GET", "/never"); });
  while (!server_ends) REQUIRE(loop.turn(std::chrono::milliseconds(5)));
  server->reset();
  client.join();
  REQUIRE(unanswered);
  CHECK(unanswered->status == 503);
}

TEST_CASE("a socket that an earlier life left behind is replaced, and removed at the end") {
  const director_test::Scratch scratch;
  auto loop = net::Loop::create().value();
  const auto socket = scratch.path / "control.sock";
  const auto handler = [](const director::Request&, HttpServer::Respond respond) { respond({.body = "new"}); };
  {
    const auto first = HttpServer::listen(loop, socket, handler);
    REQUIRE(first);
    const auto second = HttpServer::listen(loop, socket, handler);
    REQUIRE(second);
    CHECK(ask_while_serving(loop, socket, "GET", "/", "")->body == "new");
  }
  CHECK_FALSE(std::filesystem::exists(socket));
}

TEST_CASE("no daemon, no folder and a name too long each say what is wrong") {
  const director_test::Scratch scratch;
  auto loop = net::Loop::create().value();
  const auto handler = [](const director::Request&, HttpServer::Respond respond) { respond({}); };

  const auto nobody = http_request(scratch.path / "control.sock", "GET", "/");
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().code == ENOENT);
  CHECK(nobody.error().message ==
        "connect " + (scratch.path / "control.sock").string() + ": No such file or directory");

  const auto no_folder = HttpServer::listen(loop, scratch.path / "no" / "control.sock", handler);
  REQUIRE_FALSE(no_folder);
  CHECK(no_folder.error().code == ENOENT);

  const auto too_long = HttpServer::listen(loop, scratch.path / std::string(120, 'x'), handler);
  REQUIRE_FALSE(too_long);
  CHECK(too_long.error().code == ENAMETOOLONG);
}

TEST_CASE("two directors cannot share a runtime folder") {
  const director_test::Scratch scratch;
  const auto dir = scratch.path / "run";
  {
    const auto first = director::lock_runtime(dir);
    REQUIRE(first);
    const auto second = director::lock_runtime(dir);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == EWOULDBLOCK);
    CHECK(second.error().message.starts_with("another directord (pid " + std::to_string(getpid()) + ") uses "));
    CHECK(director::holds_runtime(getpid(), dir));
    CHECK_FALSE(director::holds_runtime(getppid(), dir));
  }
  CHECK_FALSE(director::holds_runtime(getpid(), dir));  // a file that an earlier one left
  CHECK(director::lock_runtime(dir));
}
