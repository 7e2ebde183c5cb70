#include "director/control/control_sockets.h"

#include <utility>

#include "director/control/api.h"

namespace director {

net::Result<std::unique_ptr<ControlSockets>> ControlSockets::open(net::Loop& loop, std::filesystem::path folder,
                                                                  const SocketGroups& groups, Handlers handlers) {
  std::unique_ptr<ControlSockets> made(new ControlSockets(loop, std::move(folder), std::move(handlers)));
  auto control = HttpServer::listen(loop, made->folder_ / "control.sock", made->handlers_.operators, body_max);
  if (!control) return std::unexpected(control.error());
  made->control_ = std::move(*control);
  if (auto set = made->set_groups(groups); !set) return std::unexpected(set.error());
  return made;
}

net::Result<> ControlSockets::set_groups(const SocketGroups& groups) {
  if (groups_.operators != groups.operators) {
    groups_.operators.reset();
    if (auto given = give_to(folder_ / "control.sock", groups.operators); !given) return given;
    groups_.operators = groups.operators;
  }
  return groups_.readers == groups.readers ? net::Result<>() : set_readers(groups.readers);
}

net::Result<> ControlSockets::set_readers(const std::optional<Group>& readers) {
  groups_.readers.reset();
  if (!readers) {
    status_.reset();
    return {};
  }
  if (!status_) {
    auto opened = HttpServer::listen(loop_, folder_ / "status.sock", handlers_.readers);
    if (!opened) return std::unexpected(opened.error());
    status_ = std::move(*opened);
  }
  if (auto given = give_to(folder_ / "status.sock", readers); !given) return given;
  groups_.readers = readers;
  return {};
}

}  // namespace director
