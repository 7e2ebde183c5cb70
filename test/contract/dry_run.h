#pragma once

#include <sys/types.h>

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "net/fd.h"

namespace contract {

/// directord in a dry run with fixed servers, asked the same questions in the same order, whichever version it is of.
/// Needs no privileges.
class DryRun {
 public:
  /// Starts `programs`/directord in `folder`; returns when each server has been checked.
  DryRun(std::filesystem::path programs, std::filesystem::path folder);
  ~DryRun();
  DryRun(const DryRun&) = delete;
  DryRun& operator=(const DryRun&) = delete;

  /// Asks everything; see answers.h.
  [[nodiscard]] nlohmann::ordered_json answers();

  [[nodiscard]] std::string log() const;

 private:
  void write(const std::string& name, const std::string& text) const;
  [[nodiscard]] std::string scrubbed(std::string text) const;
  void wait_until_checked() const;

  void ask(const std::string& method, const std::string& path, const std::string& body = {});
  void ctl(const std::string& arguments);

  void read_and_steer();
  void refuse();
  void plan_and_reload();
  void run_directorctl();

  const std::filesystem::path programs_, folder_;
  net::Fd listening_, closed_;  ///< whom web1's and web2's checks meet
  std::string web1_, web2_;     ///< their ports
  pid_t pid_ = -1;
  nlohmann::ordered_json* answers_ = nullptr;
};

}  // namespace contract
