#include "director/control/http_server.h"

#include <microhttpd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "director/engine/request_error.h"

namespace director {
namespace {

constexpr std::size_t body_max = std::size_t{64} << 10;
constexpr unsigned connections_max = 64;
constexpr unsigned idle_seconds_max = 30;

MHD_Result reply(MHD_Connection* connection, const Response& response) {
  // MHD_RESPMEM_MUST_COPY leaves the buffer unchanged; the parameter is not const for the sake of other modes.
  MHD_Response* answer = MHD_create_response_from_buffer(response.body.size(), const_cast<char*>(response.body.data()),
                                                         MHD_RESPMEM_MUST_COPY);
  if (answer == nullptr) return MHD_NO;
  MHD_add_response_header(answer, MHD_HTTP_HEADER_CONTENT_TYPE, response.content_type.c_str());
  const MHD_Result queued = MHD_queue_response(connection, response.status, answer);
  MHD_destroy_response(answer);
  return queued;
}

net::Result<net::Fd> listen_on(const std::filesystem::path& path) {
  const std::string doing = "listen on " + path.string();
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.native().size() >= sizeof address.sun_path) return net::system_error(ENAMETOOLONG, doing);
  std::strcpy(address.sun_path, path.c_str());

  net::Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return net::system_error(errno, doing);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return net::system_error(errno, "replace " + path.string());
  // Nobody may connect between bind and chmod: the mode is in force from the first moment.
  const mode_t before = umask(0177);
  const int bound = bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  umask(before);
  if (bound != 0) return net::system_error(error, doing);
  if (::listen(fd.get(), connections_max) != 0) return net::system_error(errno, doing);
  return fd;
}

}  // namespace

/// libmicrohttpd carries the pointer to it from call to call.
struct HttpServer::PendingRequest {
  MHD_Connection* connection = nullptr;
  std::string body{};
  bool too_large = false;
  std::uint64_t waits_as = 0;  ///< its name in waiting_ while the answer is to come
  std::optional<Response> response{};
};

struct HttpServer::Callbacks {
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url, const char* method, const char*,
                               const char* upload, std::size_t* upload_size, void** context) {
    if (*context == nullptr) {
      *context = new PendingRequest{.connection = connection};
      return MHD_YES;
    }
    auto& pending = *static_cast<PendingRequest*>(*context);
    if (pending.response) return reply(connection, *pending.response);
    if (*upload_size != 0) {
      pending.too_large |= pending.body.size() + *upload_size > body_max;
      if (!pending.too_large) pending.body.append(upload, *upload_size);
      *upload_size = 0;
      return MHD_YES;
    }
    if (pending.too_large)
      return reply(connection, {.status = http_status(RequestError::Kind::too_large),
                                .body = R"({"error":"the body is too large"})"});

    auto& server = *static_cast<HttpServer*>(self);
    Request request{.method = method, .path = url, .body = std::move(pending.body)};
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, &on_argument, &request.query);
    pending.waits_as = ++server.last_request_;
    server.waiting_.emplace(pending.waits_as, &pending);
    server.handler_(request,
                    [&server, id = pending.waits_as](Response response) { server.respond(id, std::move(response)); });
    if (pending.response) return reply(connection, *pending.response);
    MHD_suspend_connection(connection);
    return MHD_YES;
  }

  static MHD_Result on_argument(void* query, MHD_ValueKind, const char* name, const char* value) {
    static_cast<decltype(Request::query)*>(query)->emplace(name, value == nullptr ? "" : value);
    return MHD_YES;
  }

  static void on_completed(void* self, MHD_Connection*, void** context, MHD_RequestTerminationCode) {
    auto* pending = static_cast<PendingRequest*>(*context);
    if (pending != nullptr) static_cast<HttpServer*>(self)->waiting_.erase(pending->waits_as);
    delete pending;
    *context = nullptr;
  }
};

HttpServer::HttpServer(net::Loop& loop, std::filesystem::path socket, Handler handler)
    : loop_(loop), socket_(std::move(socket)), handler_(std::move(handler)) {}

net::Result<std::unique_ptr<HttpServer>> HttpServer::listen(net::Loop& loop, const std::filesystem::path& socket,
                                                            Handler handler) {
  auto fd = listen_on(socket);
  if (!fd) return std::unexpected(fd.error());

  std::unique_ptr<HttpServer> server(new HttpServer(loop, socket, std::move(handler)));
  server->daemon_ = MHD_start_daemon(
      MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr, &Callbacks::on_request, server.get(),
      MHD_OPTION_LISTEN_SOCKET, fd->get(), MHD_OPTION_NOTIFY_COMPLETED, &Callbacks::on_completed, server.get(),
      MHD_OPTION_CONNECTION_LIMIT, connections_max, MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds_max,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, std::size_t{32} << 10, MHD_OPTION_END);
  if (server->daemon_ == nullptr)
    return net::failure("serve HTTP on " + socket.string() + ": libmicrohttpd did not start");
  static_cast<void>(fd->release());  // the daemon closes it

  const auto* info = MHD_get_daemon_info(server->daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  auto watch = loop.watch(info->epoll_fd, EPOLLIN, [raw = server.get()](std::uint32_t) { raw->serve(); });
  if (!watch) return std::unexpected(watch.error());
  server->watch_ = *watch;
  return server;
}

HttpServer::~HttpServer() {
  loop_.cancel(timer_);
  loop_.unwatch(watch_);
  if (daemon_ != nullptr) {
    // The library does not end while a request waits.
    while (!waiting_.empty()) {
      respond(waiting_.begin()->first,
              {.status = http_status(RequestError::Kind::unavailable), .body = R"({"error":"directord is stopping"})"});
    }
    MHD_run(daemon_);
    MHD_stop_daemon(daemon_);
    unlink(socket_.c_str());
  }
}

void HttpServer::respond(std::uint64_t request, Response response) {
  const auto found = waiting_.find(request);
  if (found == waiting_.end()) return;
  auto& pending = *found->second;
  waiting_.erase(found);
  pending.response = std::move(response);
  const auto* info = MHD_get_connection_info(pending.connection, MHD_CONNECTION_INFO_CONNECTION_SUSPENDED);
  if (info == nullptr || info->suspended == MHD_NO) return;  // answered while it was handled
  MHD_resume_connection(pending.connection);
  loop_.cancel(timer_);
  timer_ = loop_.at(loop_.now(), [this] { serve(); });
}

void HttpServer::serve() {
  MHD_run(daemon_);
  loop_.cancel(timer_);
  timer_ = 0;
  MHD_UNSIGNED_LONG_LONG wait = 0;
  if (MHD_get_timeout(daemon_, &wait) == MHD_YES) {
    timer_ = loop_.after(std::chrono::milliseconds(wait), [this] { serve(); });
  }
}

}  // namespace director
