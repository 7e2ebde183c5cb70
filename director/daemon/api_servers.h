#pragma once

#include <filesystem>
#include <memory>

#include "config/reload_cache.h"
#include "director/control/control_thread.h"
#include "director/control/status_writer.h"
#include "director/daemon/replacement.h"
#include "director/engine/reloader.h"
#include "director/engine/table_reader.h"
#include "ipvs/kernel.h"

namespace director {

/// What answers on the sockets, and what it is about.
class ApiServers {
 public:
  struct Options {
    std::filesystem::path runtime_dir;
    Source source;              ///< of the cluster file in force
    SocketGroups groups;        ///< that file's
    config::ReloadCache cache;  ///< and its
    Replacement replacement;
    std::unique_ptr<ipvs::Kernel> table_kernel;  ///< to read the table beside the loop; none for a table in memory
  };

  /// `loop` and `engine` must outlive this. Clients wait until start(). Errors: as of ControlThread::open().
  static net::Result<std::unique_ptr<ApiServers>> open(net::Loop& loop, Engine& engine, Options options);

  /// As ControlThread::start().
  net::Result<> start() { return sockets_->start(); }

  [[nodiscard]] Reloader& reloader() { return *reloader_; }

 private:
  ApiServers() = default;
  net::Result<> open_sockets(net::Loop& loop, Engine& engine, const std::filesystem::path& folder,
                             const SocketGroups& groups);
  net::Result<std::move_only_function<void()>> prepare_access(const std::filesystem::path& folder,
                                                              const config::Director& next);

  std::unique_ptr<Reloader> reloader_;
  std::unique_ptr<Replacer> replacer_;
  std::unique_ptr<TableReader> table_;
  std::unique_ptr<StatusWriter> status_;
  std::unique_ptr<ControlThread> sockets_;
};

}  // namespace director
