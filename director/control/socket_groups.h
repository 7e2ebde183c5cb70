#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

#include "config/cluster.h"
#include "net/error.h"

namespace director {

struct Group {
  std::string name;
  gid_t id = 0;

  bool operator==(const Group&) const = default;
};

/// Who besides directord's own user may use the control sockets: the cluster file's groups, as this host knows them.
struct SocketGroups {
  std::optional<Group> operators;  ///< none: nobody
  std::optional<Group> readers;    ///< none: there is no socket for readers

  bool operator==(const SocketGroups&) const = default;
};

/// Asks the host's databases, which may wait for a server on the network: not for the loop. Error: this host has no
/// such group.
[[nodiscard]] net::Result<SocketGroups> find_groups(const config::Director& director);

/// Lets the members of `group` use `file`, which is this process's own, and nobody else but its user; without a group,
/// its user alone. The file gets the group where this process may give it, else an access list (acl(5)): an owner needs
/// no privilege for that, and no membership. Error: neither is possible; the file is its user's alone then.
[[nodiscard]] net::Result<> give_to(const std::filesystem::path& file, const std::optional<Group>& group);

/// Whether give_to() will work in `folder`: tries it with a file of its own there, which is gone afterwards. Errors: as
/// of give_to(), or the folder cannot be written to.
[[nodiscard]] net::Result<> try_groups(const std::filesystem::path& folder, const SocketGroups& groups);

/// Makes this process a member of the groups where it is allowed to (CAP_SETGID): a directord that replaces this one by
/// exec then still is, and can give them files, without the privileges that were given up meanwhile. For a process with
/// one thread.
void join(const SocketGroups& groups);

}  // namespace director
