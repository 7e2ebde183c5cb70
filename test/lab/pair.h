#pragma once

#include <array>
#include <atomic>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "net/endpoint.h"
#include "test/lab/process.h"
#include "test/lab/topology.h"
#include "test/lab/web_server.h"

namespace lab {

/// The set-up that the demo and the lab tests play on: two directors, two web servers, a client.
///
///     front 192.168.56.0/24    lb1 .11, lb2 .12, client .100; the service's floating address .10
///     back  192.168.200.0/24   lb1 .251, lb2 .252, web1 .11, web2 .12; the web servers' floating gateway .250
///
/// Interfaces are enp0s3 (front) and enp0s8 (back). With NAT the web servers know the back network alone. With DR they
/// have a leg on the front network too (.21, .22), to answer the client directly, and hold the service's address
/// silently.
class Pair {
 public:
  enum class Forward { nat, dr };

  struct Options {
    Forward forward = Forward::nat;
    std::chrono::milliseconds advertise{100};
    std::filesystem::path programs;  ///< the folder of directord and directorctl
    std::array<int, 2> priorities{150, 100};
  };

  /// What the harness has done to a director.
  enum class Fate { absent, running, killed, cut_off, stopped };

  struct Director {
    Host* host = nullptr;
    int priority = 0;
    std::filesystem::path programs;    ///< as in Options; another version's in a test of two versions
    std::filesystem::path log_pipe{};  ///< where it logs; empty: into a file of the folder
    std::optional<Process> process;
    std::atomic<Fate> fate = Fate::absent;
  };

  struct Web {
    Host* host = nullptr;
    std::string endpoint;  ///< as the IPVS table names it
    int weight = 0;
    std::optional<WebServer> server;
  };

  /// Builds the networks and starts the web servers, but no director yet.
  explicit Pair(Options options);

  /// The cluster file of the set-up, and what the directors read next.
  [[nodiscard]] std::string cluster_file() const;
  void write(const std::string& cluster_file) const;

  void start(Director& director);
  /// A crash.
  void kill(Director& director);
  /// SIGTERM; does not wait for its end.
  void stop(Director& director);
  /// The front cable is pulled, and plugged in again.
  void cut_off(Director& director);
  void reconnect(Director& director);

  /// Both floating addresses are on this host.
  [[nodiscard]] bool holds_both(const Director& director) const;
  [[nodiscard]] bool holds_any(const Director& director) const;

  /// Starts both, and waits until lb1 leads and both have both web servers in service; false if that does not come.
  bool start_both();

  /// `directorctl <arguments>` for one director.
  Output ctl(const Director& director, std::vector<std::string> arguments);
  /// `directorctl status --json`; discarded JSON if it fails.
  nlohmann::json status(const Director& director);

  /// Evidence for a failed expectation.
  [[nodiscard]] std::string evidence() const;

  // Of the cluster file, and what follows from them.
  static constexpr std::chrono::milliseconds check_interval{500}, check_timeout{250};
  static constexpr int rise = 2, fall = 3;
  static constexpr std::chrono::milliseconds preempt_delay{1000};
  static constexpr std::chrono::milliseconds time_to_out = fall * check_interval + check_timeout;
  static constexpr std::chrono::milliseconds time_to_in = rise * check_interval + check_timeout;
  /// RFC 9568 section 6.1.
  [[nodiscard]] std::chrono::milliseconds skew_time(const Director& director) const;
  [[nodiscard]] std::chrono::milliseconds master_down_interval(const Director& director) const;

  const Options options;
  const std::filesystem::path folder;  ///< cluster.yaml, the directors' logs, evidence
  Topology topology;
  std::array<Director, 2> directors;
  std::array<Web, 2> webs;
  Director &lb1 = directors[0], &lb2 = directors[1];
  Web &web1 = webs[0], &web2 = webs[1];
  const Host* client = nullptr;
  const net::Endpoint service{.address = address("192.168.56.10"), .port = 80};
  const net::Address gateway = address("192.168.200.250");

  /// Where its control socket is.
  [[nodiscard]] std::filesystem::path runtime_folder(const Director& director) const;

 private:
  void build_networks();
  [[nodiscard]] std::filesystem::path log_of(const Director& director) const;
};

[[nodiscard]] std::string_view to_string(Pair::Forward forward);
[[nodiscard]] std::string_view to_string(Pair::Fate fate);

}  // namespace lab
