#include "director/control/http_server.h"

#include <fmt/format.h>
#include <microhttpd.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <tuple>

#include "director/engine/request_error.h"

namespace director {
namespace {

constexpr int backlog = 1024;  // a client that finds it full fails at once
constexpr int accepted_a_turn = 16;
constexpr auto accept_again = std::chrono::milliseconds(50);
/// Of a connection, for its request line, headers and arguments; each is closed that needs more.
constexpr std::size_t head_bytes = std::size_t{32} << 10;
/// What one turn copies for each client: none waits for another that reads much.
constexpr int send_buffer_bytes = 32 << 10;

/// Its text lives as long as libmicrohttpd needs it.
using Text = std::shared_ptr<const std::string>;

MHD_Response* response_of(const Text& text) {
  auto* held = new Text(text);
  // The buffer is left unchanged; the parameter is not const for the sake of other modes.
  auto* response = MHD_create_response_from_buffer_with_free_callback_cls(
      text->size(), const_cast<char*>(text->data()), [](void* cls) { delete static_cast<Text*>(cls); }, held);
  if (response == nullptr) delete held;
  return response;
}

int descriptor_of(MHD_Connection* connection) {
  return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
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
  if (::listen(fd.get(), backlog) != 0) return net::system_error(errno, doing);
  return fd;
}

/// By number but for root: the user database may be anywhere, and slow.
std::string user_of(int fd) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return "";
  return credentials.uid == 0 ? "root" : fmt::format("uid {}", credentials.uid);
}

}  // namespace

/// libmicrohttpd carries the pointer to it from call to call.
struct HttpServer::PendingRequest {
  MHD_Connection* connection = nullptr;
  std::string body{};
  std::optional<RequestError::Kind> refused{};  ///< its body
  std::uint64_t waits_as = 0;                   ///< its name in waiting_ while the answer is to come
  std::optional<Response> response{};
};

struct HttpServer::Callbacks {
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url, const char* method, const char*,
                               const char* upload, std::size_t* upload_size, void** context) {
    if (*context == nullptr) {
      *context = new PendingRequest{.connection = connection};
      return MHD_YES;
    }
    auto& server = *static_cast<HttpServer*>(self);
    auto& pending = *static_cast<PendingRequest*>(*context);
    if (pending.response) return reply(server, connection, *std::move(pending.response));
    if (*upload_size != 0) {
      take_body(server, pending, url, {upload, *upload_size});
      *upload_size = 0;
      return MHD_YES;
    }
    if (pending.refused) return reply(server, connection, body_refused(*pending.refused));

    Request request{.method = method, .path = url, .body = std::move(pending.body)};
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, &on_argument, &request.query);
    request.user = user_of(descriptor_of(connection));
    server.connections_.begin_work(descriptor_of(connection));
    pending.waits_as = ++server.last_request_;
    server.waiting_.emplace(pending.waits_as, &pending);
    server.handler_(std::move(request), [self = std::weak_ptr(server.self_), id = pending.waits_as](Response response) {
      if (const auto there = self.lock()) (*there)->respond(id, std::move(response));
    });
    if (pending.response) return reply(server, connection, *std::move(pending.response));
    MHD_suspend_connection(connection);
    return MHD_YES;
  }

  /// Queues the answer, after which the connection ends.
  static MHD_Result reply(HttpServer& server, MHD_Connection* connection, Response response) {
    const auto text = response.shared ? response.shared : std::make_shared<const std::string>(std::move(response.body));
    auto* answer = response_of(text);
    if (answer == nullptr) return MHD_NO;
    MHD_add_response_header(answer, MHD_HTTP_HEADER_CONTENT_TYPE, response.content_type.c_str());
    MHD_add_response_header(answer, MHD_HTTP_HEADER_CONNECTION, "close");
    const auto queued = MHD_queue_response(connection, response.status, answer);
    MHD_destroy_response(answer);
    server.connections_.begin_answer(descriptor_of(connection), text, server.loop_.now());
    return queued;
  }

  static void take_body(HttpServer& server, PendingRequest& pending, std::string_view path, std::string_view bytes) {
    if (pending.refused) return;
    if (pending.body.size() + bytes.size() > server.body_max_(path)) {
      pending.refused = RequestError::Kind::too_large;
    } else if (!server.connections_.take_body(descriptor_of(pending.connection), bytes.size())) {
      pending.refused = RequestError::Kind::unavailable;
    } else {
      pending.body += bytes;
    }
    if (pending.refused) pending.body = {};
  }

  static Response body_refused(RequestError::Kind why) {
    return {.status = http_status(why),
            .body = why == RequestError::Kind::too_large
                        ? R"({"error":"the body is too large"})"
                        : R"({"error":"other requests take all memory for bodies; try again"})"};
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

  static void on_connection(void* self, MHD_Connection* connection, void**, MHD_ConnectionNotificationCode what) {
    if (what == MHD_CONNECTION_NOTIFY_CLOSED)
      static_cast<HttpServer*>(self)->connections_.close(descriptor_of(connection));
  }
};

HttpServer::HttpServer(net::Loop& loop, std::filesystem::path socket, Handler handler, BodyMax body_max)
    : loop_(loop), socket_(std::move(socket)), handler_(std::move(handler)), body_max_(body_max) {}

net::Result<std::unique_ptr<HttpServer>> HttpServer::listen(net::Loop& loop, const std::filesystem::path& socket,
                                                            Handler handler, BodyMax body_max) {
  auto fd = listen_on(socket);
  if (!fd) return std::unexpected(fd.error());

  std::unique_ptr<HttpServer> server(new HttpServer(loop, socket, std::move(handler), body_max));
  server->listener_ = std::move(*fd);
  // It does not accept for itself: at its limit it would stop for ever, and without descriptors it would spin.
  server->daemon_ = MHD_start_daemon(
      MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr, &Callbacks::on_request,
      server.get(), MHD_OPTION_NOTIFY_COMPLETED, &Callbacks::on_completed, server.get(), MHD_OPTION_NOTIFY_CONNECTION,
      &Callbacks::on_connection, server.get(), MHD_OPTION_CONNECTION_MEMORY_LIMIT, head_bytes, MHD_OPTION_END);
  if (server->daemon_ == nullptr)
    return net::failure("serve HTTP on " + socket.string() + ": libmicrohttpd did not start");

  const auto* info = MHD_get_daemon_info(server->daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  auto watch = loop.watch(info->epoll_fd, EPOLLIN, [raw = server.get()](std::uint32_t) { raw->serve(); });
  if (!watch) return std::unexpected(watch.error());
  server->watch_ = *watch;
  auto accepting =
      loop.watch(server->listener_.get(), EPOLLIN, [raw = server.get()](std::uint32_t) { raw->accept_some(); });
  if (!accepting) return std::unexpected(accepting.error());
  server->accepting_ = *accepting;
  server->serve();
  return server;
}

HttpServer::~HttpServer() {
  loop_.cancel(accept_timer_);
  loop_.unwatch(accepting_);
  loop_.unwatch(watch_);
  if (daemon_ != nullptr) {
    // The library does not end while a request waits.
    while (!waiting_.empty()) {
      respond(waiting_.begin()->first,
              {.status = http_status(RequestError::Kind::unavailable), .body = R"({"error":"directord is stopping"})"});
    }
    loop_.cancel(timer_);
    MHD_run(daemon_);
    MHD_stop_daemon(daemon_);
    unlink(socket_.c_str());
  }
}

void HttpServer::accept_some() {
  for (int i = 0; i < accepted_a_turn; ++i) {
    if (connections_.full() && !free_a_place()) return accept_later();
    auto client = accept_one();
    if (!client && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (!client && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (!client && !free_a_place()) return accept_later();
    if (client) add(std::move(client));
  }
  serve();
}

/// None: errno says why. The reserve is used where there is no other descriptor.
net::Fd HttpServer::accept_one() {
  const auto accept = [&] { return net::Fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)); };
  auto client = accept();
  if (client || (errno != EMFILE && errno != ENFILE) || !reserve_) return client;
  reserve_ = {};
  return accept();
}

/// The listener stays ready while nobody can be accepted: it is left alone for a moment.
void HttpServer::accept_later() {
  serve();
  std::ignore = loop_.rewatch(accepting_, 0);
  loop_.cancel(accept_timer_);
  accept_timer_ = loop_.after(accept_again, [this] {
    std::ignore = loop_.rewatch(accepting_, EPOLLIN);
    accept_some();
  });
}

void HttpServer::add(net::Fd client) {
  setsockopt(client.get(), SOL_SOCKET, SO_SNDBUF, &send_buffer_bytes, sizeof send_buffer_bytes);
  const int fd = client.release();  // the daemon closes it
  connections_.open(fd, loop_.now());
  const sockaddr_un unnamed{.sun_family = AF_UNIX, .sun_path = {}};
  if (MHD_add_connection(daemon_, fd, reinterpret_cast<const sockaddr*>(&unnamed), sizeof unnamed.sun_family) !=
      MHD_YES)
    connections_.close(fd);
}

bool HttpServer::free_a_place() {
  const auto client = connections_.give_way(loop_.now());
  if (!client) return false;
  cut_off(*client);
  serve();
  return !connections_.full();
}

/// The library finds it closed, and closes it too.
void HttpServer::cut_off(int client) { shutdown(client, SHUT_RDWR); }

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
  for (const int client : connections_.overdue(loop_.now())) cut_off(client);
  MHD_run(daemon_);
  MHD_run(daemon_);  // closes those whose heads were too large, which the first only finds
  for (const int client : connections_.overdue(loop_.now())) cut_off(client);
  if (!reserve_) reserve_ = net::Fd(eventfd(0, EFD_CLOEXEC));
  loop_.cancel(timer_);
  timer_ = 0;
  auto next = connections_.next_due();
  MHD_UNSIGNED_LONG_LONG wait = 0;
  if (MHD_get_timeout(daemon_, &wait) == MHD_YES) {
    const auto then = loop_.now() + std::chrono::milliseconds(wait);
    next = std::min(next.value_or(then), then);
  }
  if (next) timer_ = loop_.at(*next, [this] { serve(); });
}

}  // namespace director
