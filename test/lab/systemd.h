#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "test/lab/process.h"
#include "test/lab/topology.h"

namespace lab {

void write(const std::filesystem::path& file, const std::string& text);
std::string text_of(const std::filesystem::path& file);

/// systemd as the first process of a process namespace, with directord installed by the steps of docs/install.md, in
/// the lab's root, which is thrown away with the lab's kernel.
class Systemd {
 public:
  /// Starts it with this cluster file and waits until directord is active.
  Systemd(const Host& host, const std::string& cluster_file);

  /// A command among systemd's processes.
  Output run(std::vector<std::string> words) const;
  [[nodiscard]] Output systemctl(const std::string& verb) const { return run({"systemctl", verb, "directord"}); }

  /// `directorctl` as nobody, who is in one more group.
  [[nodiscard]] int ctl_as(const std::string& group, const std::string& socket, const std::string& verb) const;

  /// What systemd knows of a unit: "MainPID", "NRestarts", ...
  [[nodiscard]] std::string property(const std::string& name, const std::string& unit = "directord") const;
  [[nodiscard]] bool active() const { return property("ActiveState") == "active"; }
  /// A life after the one of that pid.
  [[nodiscard]] bool lives_again(const std::string& dead) const;
  [[nodiscard]] std::string journal(const std::vector<std::string>& options = {}) const;

 private:
  static Process start(const Host& host, const std::string& cluster_file);
  bool find();

  const Host& host_;
  std::string pid_;
  Process systemd_;
};

}  // namespace lab
