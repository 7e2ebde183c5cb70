// Who may use the control sockets, with and without privileges.

#include "director/control/socket_groups.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <vector>

#include "director/daemon/start_check.h"
#include "net/fd.h"
#include "scratch.h"
#include "shop.h"
#include "test/catch.h"

namespace {

constexpr uid_t owner = 65534, other = 65533;
constexpr gid_t own_group = 65534, ours = 4711, theirs = 4712;
const director::Group our_group{.name = "ours", .id = ours};

/// What `act` answers in a process of that user, in these groups and without privileges. Needs root.
bool as(uid_t user, const std::vector<gid_t>& groups, const std::function<bool()>& act) {
  const pid_t pid = fork();
  if (pid == 0) {
    const bool became = setgroups(groups.size(), groups.data()) == 0 && setgid(own_group) == 0 && setuid(user) == 0;
    _exit(became && act() ? 0 : 1);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return status == 0;
}

bool may_use(const std::filesystem::path& file) {
  return static_cast<bool>(net::Fd(open(file.c_str(), O_RDWR | O_CLOEXEC)));
}

/// A file of one user's, in a folder where anybody may write.
struct Shared {
  director_test::Scratch scratch;
  std::filesystem::path file = scratch.path / "control.sock";

  Shared() {
    std::filesystem::permissions(scratch.path, std::filesystem::perms::all);
    CHECK(as(owner, {},
             [&] { return static_cast<bool>(net::Fd(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600))); }));
  }

  [[nodiscard]] bool for_user(uid_t user, const std::vector<gid_t>& groups) const {
    return as(user, groups, [&] { return may_use(file); });
  }
};

}  // namespace

TEST_CASE("the owner of a socket lets a group use it that it is not in, and takes it back") {
  if (geteuid() != 0) return;
  const Shared shared;
  const auto give = [&](const std::optional<director::Group>& to, const std::vector<gid_t>& member_of) {
    return as(owner, member_of, [&] { return director::give_to(shared.file, to).has_value(); });
  };
  for (const std::vector<gid_t>& member_of : {std::vector<gid_t>{}, {ours}}) {  // by an access list, and by chown
    INFO("member of " << member_of.size());
    REQUIRE(give(our_group, member_of));
    CHECK(shared.for_user(other, {ours}));
    CHECK(shared.for_user(owner, {}));
    CHECK_FALSE(shared.for_user(other, {theirs}));
    CHECK_FALSE(shared.for_user(other, {}));  // in the owner's group
    REQUIRE(give(director::Group{.name = "theirs", .id = theirs}, {}));
    CHECK(shared.for_user(other, {theirs}));
    CHECK_FALSE(shared.for_user(other, {ours}));
    REQUIRE(give(std::nullopt, {}));
    for (const gid_t each : {ours, theirs, own_group}) CHECK_FALSE(shared.for_user(other, {each}));
    CHECK(shared.for_user(owner, {}));
  }
}

TEST_CASE("the group of a socket is the file's own where this process may give it") {
  if (geteuid() != 0) return;
  const Shared shared;
  REQUIRE(director::give_to(shared.file, our_group));
  struct stat about{};
  REQUIRE(stat(shared.file.c_str(), &about) == 0);
  CHECK(about.st_gid == ours);
  CHECK((about.st_mode & 07777U) == 0660);
}

TEST_CASE("a process that joined a group gives it sockets also when it has no privileges any more") {
  if (geteuid() != 0) return;
  const Shared shared;
  CHECK(as(0, {}, [&] {
    director::join({.operators = our_group, .readers = std::nullopt});
    if (setuid(owner) != 0 || !director::give_to(shared.file, our_group)) return false;
    struct stat about{};
    return stat(shared.file.c_str(), &about) == 0 && about.st_gid == ours;
  }));
}

TEST_CASE("groups are found by name, and one that this host does not have is named with its key") {
  CHECK(director::find_groups({}).value() == director::SocketGroups{});
  const auto found = director::find_groups({.operators = "root", .readers = "daemon"}).value();
  CHECK(found.operators == director::Group{.name = "root", .id = 0});
  CHECK(found.readers->name == "daemon");
  CHECK(
      director::find_groups({.operators = "nonesuch"}).error().message ==
      "director: operators: this host has no group 'nonesuch'; create it (groupadd --system nonesuch), or name another "
      "in the cluster file");
  CHECK(director::find_groups({.readers = "nonesuch"})
            .error()
            .message.starts_with("director: readers: this host has no"));
}

TEST_CASE("what is tried leaves nothing behind, and a folder that is not there is named") {
  const director_test::Scratch scratch;
  const director::SocketGroups own{.operators = director::Group{.name = "own", .id = getegid()}, .readers = {}};
  CHECK(director::try_groups(scratch.path, own));
  CHECK(std::filesystem::is_empty(scratch.path));
  const auto missing = scratch.path / "no";
  CHECK(director::try_groups(missing, own).error().message ==
        "write to " + missing.string() + " (it must belong to the user of directord): No such file or directory");
  CHECK(director::try_groups(missing, {}));
}

TEST_CASE("before a replacement, all that a start needs of the host is tried") {
  const director_test::Scratch scratch;
  const director::StartCheck check{.runtime_dir = scratch.path, .state_dir = scratch.path / "state", .dry_run = false};
  const auto found = [&](const config::Cluster& cluster) {
    const auto checked = check.check_replacement(cluster, director_test::lb1());
    return checked ? "" : checked.error().message;
  };
  auto cluster = director_test::shop();
  CHECK(found(cluster).starts_with("write to " + (scratch.path / "directord.pid").string()));
  std::ofstream(scratch.path / "directord.pid") << "1\n";
  CHECK(found(cluster).starts_with("write to " + check.state_dir.string()));
  std::filesystem::create_directory(check.state_dir);
  const auto no_kernel = found(cluster);  // or nothing: whether this host has IPVS
  CHECK((no_kernel.empty() || no_kernel.contains("this kernel has no IPVS")));

  cluster.director.readers = "nonesuch";
  CHECK(found(cluster).contains("this host has no group 'nonesuch'"));
  cluster.director.readers = "";
  cluster.services.at(0).checks = {{.kind = checkers::Http{.authorization_file = scratch.path / "token"}}};
  CHECK(found(cluster).starts_with("read the secret " + (scratch.path / "token").string()));
  cluster.services.at(0).checks.clear();
  auto& router = cluster.virtual_routers.emplace_back();
  router.interfaces["lb1"] = "eth0";
  router.password_file = scratch.path / "password";
  CHECK(found(cluster).starts_with("read the secret " + (scratch.path / "password").string()));
}
