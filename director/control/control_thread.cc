#include "director/control/control_thread.h"

#include <system_error>
#include <utility>

#include "net/check.h"

namespace director {

net::Result<std::unique_ptr<ControlThread>> ControlThread::open(net::Loop& loop, const std::filesystem::path& folder,
                                                                const SocketGroups& groups,
                                                                ControlSockets::Handlers handlers) {
  auto own = net::Loop::create();
  if (!own) return std::unexpected(own.error());
  std::unique_ptr<ControlThread> made(new ControlThread(std::move(*own), std::move(handlers)));
  auto to_director = net::Mailbox::create(loop);
  if (!to_director) return std::unexpected(to_director.error());
  made->to_director_ = std::move(*to_director);
  auto to_thread = net::Mailbox::create(made->loop_);
  if (!to_thread) return std::unexpected(to_thread.error());
  made->to_thread_ = std::move(*to_thread);
  auto sockets = ControlSockets::open(
      made->loop_, folder, groups,
      {.operators = made->in_thread(made->handlers_.operators), .readers = made->in_thread(made->handlers_.readers)});
  if (!sockets) return std::unexpected(sockets.error());
  made->sockets_ = std::move(*sockets);
  return made;
}

/// Takes a request to the director, and its answer back.
HttpServer::Handler ControlThread::in_thread(HttpServer::Handler& handler) const {
  return [&handler, to_director = to_director_->sender(), to_thread = to_thread_->sender()](
             Request request, HttpServer::Respond respond) {
    auto back = [to_thread, respond = std::move(respond)](Response response) mutable {
      to_thread.post(
          [respond = std::move(respond), response = std::move(response)]() mutable { respond(std::move(response)); });
    };
    to_director.post([&handler, request = std::move(request), back = std::move(back)]() mutable {
      handler(std::move(request), std::move(back));
    });
  };
}

net::Result<> ControlThread::start() {
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    return net::system_error(error.code().value(), "start the thread of the control sockets");
  }
  return {};
}

void ControlThread::run() {
  loop_.read_clock();
  const auto ended = loop_.run();
  net::check(ended.has_value(), "the loop of the control sockets ends when it is told to");
}

ControlThread::~ControlThread() {
  if (!thread_.joinable()) return;
  to_thread_->sender().post([this] {
    sockets_.reset();
    loop_.stop();
  });
  thread_.join();
}

void ControlThread::set_groups(SocketGroups groups, SetDone done) {
  to_thread_->sender().post([this, groups = std::move(groups), done = std::move(done),
                             to_director = to_director_->sender()]() mutable {
    to_director.post([set = sockets_->set_groups(groups), done = std::move(done)]() mutable { done(std::move(set)); });
  });
}

}  // namespace director
