#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "net/error.h"
#include "net/loop.h"

struct MHD_Daemon;

namespace director {

struct Request {
  std::string method;
  std::string path;  ///< decoded, without the query
  std::string body;
  std::map<std::string, std::string> query{};  ///< decoded
};

struct Response {
  unsigned status = 200;
  std::string body;
  std::string content_type = "application/json";
};

/// HTTP/1.1 on a Unix socket, served in the loop's own thread by libmicrohttpd. Connections, idle time, memory a
/// connection and the size of a request's body are bounded.
class HttpServer {
 public:
  /// Answers a request, at once or later, but once; unanswered requests are when the server ends.
  using Respond = std::move_only_function<void(Response)>;
  using Handler = std::function<void(const Request&, Respond)>;

  /// Listens on `socket`, replacing a socket that an earlier process left there. The socket's mode is 0600. Errors: the
  /// folder is missing or not writable, the path is too long for a socket.
  static net::Result<std::unique_ptr<HttpServer>> listen(net::Loop& loop, const std::filesystem::path& socket,
                                                         Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// What libmicrohttpd's callbacks know of a request.
  struct PendingRequest;

 private:
  struct Callbacks;
  HttpServer(net::Loop& loop, std::filesystem::path socket, Handler handler);
  void serve();
  void respond(std::uint64_t request, Response response);

  net::Loop& loop_;
  std::filesystem::path socket_;
  Handler handler_;
  MHD_Daemon* daemon_ = nullptr;
  net::Loop::Id watch_ = 0;
  net::Loop::Id timer_ = 0;
  std::uint64_t last_request_ = 0;
  std::map<std::uint64_t, PendingRequest*> waiting_;  ///< requests whose answer is still to come
};

}  // namespace director
