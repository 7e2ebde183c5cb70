#pragma once

#include <filesystem>
#include <memory>

#include "director/control/http_server.h"
#include "director/control/socket_groups.h"

namespace director {

/// The two sockets that answer, and who may use them.
class ControlSockets {
 public:
  struct Handlers {
    HttpServer::Handler operators, readers;
  };

  /// Listens on control.sock, and with a group of readers on status.sock, in `folder`. `loop` must outlive this.
  /// Errors: as of HttpServer::listen() and give_to().
  static net::Result<std::unique_ptr<ControlSockets>> open(net::Loop& loop, std::filesystem::path folder,
                                                           const SocketGroups& groups, Handlers handlers);

  /// From now on other groups may use them. Errors: as above; what could not be given to its new group is only for
  /// directord's own user, and may be tried again.
  net::Result<> set_groups(const SocketGroups& groups);

 private:
  ControlSockets(net::Loop& loop, std::filesystem::path folder, Handlers handlers)
      : loop_(loop), folder_(std::move(folder)), handlers_(std::move(handlers)) {}
  net::Result<> set_readers(const std::optional<Group>& readers);

  net::Loop& loop_;
  std::filesystem::path folder_;
  Handlers handlers_;
  std::unique_ptr<HttpServer> control_, status_;
  SocketGroups groups_;  ///< that have them
};

}  // namespace director
