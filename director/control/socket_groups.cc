#include "director/control/socket_groups.h"

#include <endian.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "net/fd.h"

namespace director {
namespace {

constexpr auto access_list = "system.posix_acl_access";  // as <linux/xattr.h>, which does not go with <sys/xattr.h>

net::Result<std::optional<Group>> find(const char* key, const std::string& name) {
  if (name.empty()) return std::optional<Group>();
  errno = 0;
  const auto* found = getgrnam(name.c_str());
  if (found != nullptr) return Group{.name = name, .id = found->gr_gid};
  // getgrnam(3): what else it may be set to where there is none.
  constexpr std::array unknown{0, ENOENT, ESRCH, EBADF, EPERM};
  if (std::ranges::find(unknown, errno) == unknown.end()) {
    return net::system_error(errno, fmt::format("director: {}: look up the group '{}'", key, name));
  }
  return net::failure(
      fmt::format("director: {}: this host has no group '{}'; create it (groupadd --system {}), or name another in the "
                  "cluster file",
                  key, name, name));
}

/// Reads and writes for the owner and for the members of one group, nothing for all others.
bool set_access_list(const std::filesystem::path& file, gid_t group) {
  constexpr std::uint16_t use = ACL_READ | ACL_WRITE;
  const auto entry = [](std::uint16_t tag, std::uint16_t may, std::uint32_t id) {
    return posix_acl_xattr_entry{.e_tag = htole16(tag), .e_perm = htole16(may), .e_id = htole32(id)};
  };
  constexpr auto none = static_cast<std::uint32_t>(ACL_UNDEFINED_ID);
  const struct {
    posix_acl_xattr_header head;
    std::array<posix_acl_xattr_entry, 5> entries;
  } list{{.a_version = htole32(POSIX_ACL_XATTR_VERSION)},
         {entry(ACL_USER_OBJ, use, none), entry(ACL_GROUP_OBJ, 0, none), entry(ACL_GROUP, use, group),
          entry(ACL_MASK, use, none), entry(ACL_OTHER, 0, none)}};
  return lsetxattr(file.c_str(), access_list, &list, sizeof list, 0) == 0;
}

}  // namespace

net::Result<SocketGroups> find_groups(const config::Director& director) {
  auto operators = find("operators", director.operators);
  if (!operators) return std::unexpected(operators.error());
  auto readers = find("readers", director.readers);
  if (!readers) return std::unexpected(readers.error());
  return SocketGroups{.operators = *std::move(operators), .readers = *std::move(readers)};
}

net::Result<> give_to(const std::filesystem::path& file, const std::optional<Group>& group) {
  // First nobody, so that no former group gets back in on the way.
  if (chmod(file.c_str(), 0600) != 0) return net::system_error(errno, "set the mode of " + file.string());
  if (lremovexattr(file.c_str(), access_list) != 0 && errno != ENODATA && errno != EOPNOTSUPP) {
    return net::system_error(errno, "remove the access list of " + file.string());
  }
  if (!group) return {};
  if (lchown(file.c_str(), static_cast<uid_t>(-1), group->id) == 0 && chmod(file.c_str(), 0660) == 0) return {};
  if (set_access_list(file, group->id)) return {};
  const int error = errno;
  const auto doing = fmt::format("let the group '{}' use {}", group->name, file.string());
  if (error != EOPNOTSUPP) return net::system_error(error, doing);
  return std::unexpected(net::Error{
      .code = EOPNOTSUPP,
      .message = fmt::format("{}: its file system has no access lists, and directord's user is not in the group; "
                             "choose another folder with --runtime-dir, or put the user into the group (usermod "
                             "--append --groups {} USER) and start directord again",
                             doing, group->name)});
}

net::Result<> try_groups(const std::filesystem::path& folder, const SocketGroups& groups) {
  if (groups == SocketGroups{}) return {};
  const auto file = folder / fmt::format("access-test.{}", getpid());
  const net::Fd made(open(file.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!made) {
    return net::system_error(errno,
                             fmt::format("write to {} (it must belong to the user of directord)", folder.string()));
  }
  net::Result<> tried;
  for (const auto& group : {groups.operators, groups.readers}) {
    if (tried && group) tried = give_to(file, group);
  }
  unlink(file.c_str());
  return tried;
}

void join(const SocketGroups& groups) {
  if (groups == SocketGroups{}) return;
  std::vector<gid_t> all(static_cast<std::size_t>(std::max(getgroups(0, nullptr), 0)));
  all.resize(static_cast<std::size_t>(std::max(getgroups(static_cast<int>(all.size()), all.data()), 0)));
  for (const auto& group : {groups.operators, groups.readers}) {
    if (group && std::ranges::find(all, group->id) == all.end()) all.push_back(group->id);
  }
  setgroups(all.size(), all.data());  // where that is refused, give_to() has another way
}

}  // namespace director
