#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "net/error.h"

namespace net {

class Host;

/// Kernel settings below /proc/sys that are changed for as long as they are needed. What was there is remembered, and
/// put back unless somebody else has changed it since.
class Sysctls {
 public:
  /// `host` must outlive this. `saved_file` is a file that keeps what was changed, so that a process after a crash puts
  /// it back too: what an earlier one left there, and what is still as that left it, counts as changed by this one. It
  /// belongs where a reboot clears it. Without one, or where it cannot be written, a crash forgets.
  explicit Sysctls(Host& host, std::filesystem::path saved_file = {});

  /// See Host::read_setting.
  [[nodiscard]] Result<std::string> read(const std::string& name) const;

  /// What is in force of an IPv4 setting (net/ipv4/conf) on an interface. Errors: as read().
  [[nodiscard]] Result<int> in_force(const std::string& interface, const std::string& name) const;

  /// Writes only what differs. Errors: ENOENT as above; EACCES, EROFS where this process may not.
  Result<> set(const std::string& name, const std::string& value);

  /// Puts back what set() changed, here or in the process before a crash.
  void restore();

  /// The same for one of them; nothing where it was not changed.
  void restore(const std::string& name);

 private:
  struct Saved {
    std::string before;
    std::string ours;
  };
  void put_back(const std::string& name, const Saved& change) const;

  void load();
  void save() const;

  Host& host_;
  std::filesystem::path saved_file_;
  std::map<std::string, Saved> changes_;
};

/// What is in force on an interface of an IPv4 setting that has these values for `all` and for itself: the greater.
[[nodiscard]] int in_force(std::string_view all, std::string_view own);

}  // namespace net
