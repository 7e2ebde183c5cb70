#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <thread>

#include "director/control/control_sockets.h"
#include "net/mailbox.h"

namespace director {

/// The thread that serves the control sockets, on a loop of its own: however many clients come and whatever they do,
/// the director's loop has whole requests to answer, and nothing else.
class ControlThread {
 public:
  using SetDone = std::move_only_function<void(net::Result<>)>;

  /// Opens the sockets; clients wait until start(). The handlers run on `loop`, which must outlive this. Errors: as of
  /// ControlSockets::open(), or there are no descriptors left.
  static net::Result<std::unique_ptr<ControlThread>> open(net::Loop& loop, const std::filesystem::path& folder,
                                                          const SocketGroups& groups,
                                                          ControlSockets::Handlers handlers);

  /// The thread keeps the privileges that the process has now. Error: it cannot be started.
  net::Result<> start();

  /// Requests that wait for an answer get one: directord is stopping.
  ~ControlThread();
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;

  /// As ControlSockets::set_groups(); `done` is called on the director's loop. After start().
  void set_groups(SocketGroups groups, SetDone done);

 private:
  ControlThread(net::Loop loop, ControlSockets::Handlers handlers)
      : loop_(std::move(loop)), handlers_(std::move(handlers)) {}
  [[nodiscard]] HttpServer::Handler in_thread(HttpServer::Handler& handler) const;
  void run();

  net::Loop loop_;                     ///< the thread's, as all below it but `to_director_`
  ControlSockets::Handlers handlers_;  ///< the director's
  std::unique_ptr<net::Mailbox> to_director_, to_thread_;
  std::unique_ptr<ControlSockets> sockets_;
  std::thread thread_;
};

}  // namespace director
