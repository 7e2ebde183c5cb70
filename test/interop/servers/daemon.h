#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "net/endpoint.h"

/// A folder of one test's own, for configurations, data and logs; gone with it. The first one moves this process into a
/// network namespace of its own, which takes root.
struct Workshop {
  std::filesystem::path path;

  Workshop();
  ~Workshop();
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  /// Writes a file that only this process's user may read, and returns its path.
  [[nodiscard]] std::string file(const std::string& name, const std::string& text) const;
};

/// 127.0.0.1 and this port, in the namespace that each of these tests has for itself.
[[nodiscard]] net::Endpoint local(std::uint16_t port);

/// A server from a Debian package, run in the foreground with a configuration of the test's own, as the leader of a
/// process group that ends with this object. A program that is not installed is a failure that names its package.
class Daemon {
 public:
  /// Starts it and waits until `port` accepts connections; with port 0 it does not wait.
  Daemon(const Workshop& workshop, std::vector<std::string> argv, std::uint16_t port);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// Slow without end: its kernel accepts connections, and nobody reads them.
  void freeze() const;
  void thaw() const;

  /// Returns when all of it is gone.
  void kill();

 private:
  pid_t pid_ = -1;
};
