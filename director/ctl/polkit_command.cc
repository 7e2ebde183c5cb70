#include "director/ctl/polkit_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "config/load.h"
#include "director/ctl/exit_status.h"
#include "director/resources/polkit_rule.h"
#include "net/fd.h"
#include "net/file.h"

namespace director {

net::Result<> write_polkit_rule(const std::string& rule, const std::string& file) {
  // polkitd reads a file as soon as it is there.
  const auto written = file + ".new";
  const net::Fd fd(open(written.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!fd) return net::system_error(errno, "create " + written);
  fchmod(fd.get(), 0644);  // whatever the umask is: polkitd is not root
  int error = net::write_all(fd.get(), rule);
  if (error == 0 && fsync(fd.get()) != 0) error = errno;
  if (error == 0 && std::rename(written.c_str(), file.c_str()) != 0) error = errno;
  if (error == 0) return {};
  unlink(written.c_str());
  return net::system_error(error, "write " + file);
}

int polkit_command(const std::string& config, const std::string& file) {
  const auto loaded = config::load(config);
  if (!loaded) {
    fmt::print(stderr, "{}", config::to_string(loaded.error()));
    return usage;
  }
  const auto rule = polkit_rule(loaded->cluster);
  if (rule.empty()) {
    fmt::print(stderr, "directorctl: {}: no virtual router has 'resources': no rule is needed\n", config);
    return refused;
  }
  if (file == "-") {
    fmt::print("{}", rule);
    return done;
  }
  if (const auto written = write_polkit_rule(rule, file); !written) {
    fmt::print(stderr, "directorctl: {}\n", written.error().message);
    return refused;
  }
  fmt::print("{}: written; polkit reads it at once. Write it anew when the resources change.\n", file);
  return done;
}

}  // namespace director
