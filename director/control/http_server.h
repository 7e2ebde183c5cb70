#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "director/control/connections.h"
#include "net/error.h"
#include "net/fd.h"
#include "net/loop.h"

struct MHD_Daemon;

namespace director {

struct Request {
  std::string method;
  std::string path;  ///< decoded, without the query
  std::string body;
  std::map<std::string, std::string> query{};  ///< decoded
  std::string user{};                          ///< whose process the client is: "root", "uid 1000"; empty: not known
};

struct Response {
  unsigned status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::shared_ptr<const std::string> shared = {};  ///< in place of `body`: one text for several requests
};

/// HTTP/1.1 on a Unix socket, served in the loop's own thread by libmicrohttpd; a connection carries one request.
/// Places, times and memory are bounded (Connections::Limits). Where all places are taken, a new client gets that of
/// the one which keeps the server waiting; where the process has no descriptors left, one that is kept in reserve.
class HttpServer {
 public:
  /// Answers a request, at once or later, but once; unanswered requests are when the server ends, and it does nothing
  /// after that.
  using Respond = std::move_only_function<void(Response)>;
  using Handler = std::function<void(Request, Respond)>;
  /// The most bytes that the body of a request for that path may have.
  using BodyMax = std::size_t (*)(std::string_view path);
  static std::size_t small_body(std::string_view) { return std::size_t{64} << 10; }

  /// Listens on `socket`, replacing a socket that an earlier process left there. The socket's mode is 0600. Errors: the
  /// folder is missing or not writable, the path is too long for a socket.
  static net::Result<std::unique_ptr<HttpServer>> listen(net::Loop& loop, const std::filesystem::path& socket,
                                                         Handler handler, BodyMax body_max = small_body);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// What libmicrohttpd's callbacks know of a request.
  struct PendingRequest;

 private:
  struct Callbacks;
  HttpServer(net::Loop& loop, std::filesystem::path socket, Handler handler, BodyMax body_max);
  void accept_some();
  void accept_later();
  [[nodiscard]] net::Fd accept_one();
  void add(net::Fd client);
  bool free_a_place();
  void cut_off(int client);
  void serve();
  void respond(std::uint64_t request, Response response);

  net::Loop& loop_;
  std::filesystem::path socket_;
  Handler handler_;
  BodyMax body_max_;
  Connections connections_;
  net::Fd listener_;
  net::Fd reserve_;  ///< for a client when the process has no other descriptor left
  MHD_Daemon* daemon_ = nullptr;
  net::Loop::Id watch_ = 0, accepting_ = 0;
  net::Loop::Id timer_ = 0, accept_timer_ = 0;
  const std::shared_ptr<HttpServer*> self_ = std::make_shared<HttpServer*>(this);  ///< for who answers late
  std::uint64_t last_request_ = 0;
  std::map<std::uint64_t, PendingRequest*> waiting_;  ///< requests whose answer is still to come
};

}  // namespace director
