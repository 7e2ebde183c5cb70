#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace net {

/// Which modules this host's kernel has, by what it says of itself and by its module files. Runs no program.
class Modules {
 public:
  enum class Presence {
    loaded,
    available,  ///< built in, or among the files: the kernel loads it when it is wanted
    missing,
    unknown,  ///< the kernel's files are not here to be asked
  };

  /// The texts of /proc/modules, and of modules.dep and modules.builtin of the running kernel; nothing: no such file.
  Modules(std::optional<std::string> loaded, std::optional<std::string> files, std::optional<std::string> built_in);

  /// Those of this host, below `root`, for the kernel `release`; empty: the one that runs.
  [[nodiscard]] static Modules of_host(const std::filesystem::path& root = "/", std::string release = {});

  /// `name` with underscores: "ip_vs_wrr".
  [[nodiscard]] Presence find(std::string_view name) const;

 private:
  std::string loaded_;
  std::string available_;  ///< the module files' text, searched rather than taken apart: it is long, the questions few
  bool all_known_;
};

}  // namespace net
