// directord: the daemon. In the foreground, with its log on standard error; a service manager does the rest.
// Exit status: 0 stopped as asked (or --check found nothing wrong), 1 could not run, 2 wrong usage or a bad file, 6 the
// host is not set up for it, and another start would not help either.

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <memory>
#include <optional>
#include <string>

#include "config/load.h"
#include "director/control/socket_groups.h"
#include "director/daemon/api_servers.h"
#include "director/daemon/privileges.h"
#include "director/daemon/runtime.h"
#include "director/daemon/service_manager.h"
#include "director/daemon/start_check.h"
#include "director/engine/engine.h"
#include "director/engine/log.h"
#include "director/engine/probe_secrets.h"
#include "director/orders/peer_connections.h"
#include "director/resources/systemd_units.h"
#include "director/usage/host_name.h"
#include "director/usage/wrong_usage.h"
#include "ipvs/memory_kernel.h"
#include "ipvs/netlink_kernel.h"
#include "net/kernel_host.h"
#include "net/version.h"

namespace {

using director::log::error;
using director::log::info;

/// 6 as init scripts have it, which systemd shows by that name.
enum Exit { done = 0, failed = 1, usage = 2, not_configured = 6 };

/// Why it does not run, and whether it may be worth another attempt.
struct Failure {
  net::Error why;
  Exit status = failed;
};

std::unexpected<Failure> failure(net::Error why) { return std::unexpected(Failure{.why = std::move(why)}); }

/// Of what somebody has to set up first.
std::unexpected<Failure> set_up_failure(net::Error why) {
  return std::unexpected(Failure{.why = std::move(why), .status = not_configured});
}

/// Of a folder: a full disk passes, a missing permission does not.
std::unexpected<Failure> folder_failure(net::Error why) {
  const bool lasting = why.code == EACCES || why.code == EPERM || why.code == EROFS;
  return lasting ? set_up_failure(std::move(why)) : failure(std::move(why));
}

struct Arguments {
  std::string config;
  std::string node;
  std::filesystem::path runtime_dir = "/run/directord";
  std::filesystem::path state_dir = "/var/lib/directord";
  bool check = false;
  bool dry_run = false;
  director::Replacement again;  ///< how this was called
};

/// The table that rules go to: the kernel's, or one in memory.
net::Result<std::unique_ptr<ipvs::Kernel>> open_kernel(bool dry_run) {
  if (dry_run) return std::make_unique<ipvs::MemoryKernel>();
  auto kernel = ipvs::NetlinkKernel::open();
  if (!kernel) return std::unexpected(kernel.error());
  return std::make_unique<ipvs::NetlinkKernel>(std::move(*kernel));
}

net::Result<> make_state_dir(const std::filesystem::path& dir) {
  std::error_code problem;
  std::filesystem::create_directories(dir, problem);
  if (problem) return net::system_error(problem.value(), "create " + dir.string());
  return {};
}

/// A folder of a dry run's own, gone with it: nothing is shared with a directord that runs for real.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "directord-dry-run-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

director::StartCheck start_check_of(const Arguments& arguments) {
  return {.runtime_dir = arguments.runtime_dir, .state_dir = arguments.state_dir, .dry_run = arguments.dry_run};
}

/// For SIGHUP, whose sender sees no answer: the log has it.
void reload(director::Reloader& reloader) {
  reloader.reload(false, "SIGHUP", [](const auto& done) {
    if (done && done->change.none()) info("SIGHUP: " + to_string(done->change));
  });
}

/// A reload of thousands of services takes tens of megabytes and frees them. The C library would return them to the
/// kernel each time and fault them in again with the next, which costs more than the reload itself.
void keep_freed_memory() {
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
}

/// Over sockets of its own; none for a table in memory.
net::Result<std::unique_ptr<ipvs::Kernel>> open_table_kernel(bool dry_run) {
  if (dry_run) return nullptr;
  return open_kernel(dry_run);
}

/// Runs until a signal ends it.
std::expected<void, Failure> run(Arguments arguments, config::Loaded loaded, config::Node node) {
  std::optional<Scratch> scratch;
  director::Options options{.node = node, .state_file = {}, .settings_folder = {}, .dry_run = arguments.dry_run};
  // Two processes of a cluster must not have the same.
  if (getentropy(&options.process, sizeof options.process) != 0)
    return failure(net::system_error(errno, "get a random number").error());
  options.make_transport = [](net::Loop& loop, director::PeerTransport::Callbacks callbacks) {
    return std::make_unique<director::PeerConnections>(loop, std::move(callbacks));
  };
  options.make_units = [](net::Loop& loop, director::ServiceUnits::Callbacks callbacks) {
    return std::make_unique<director::SystemdUnits>(loop, std::move(callbacks));
  };
  std::signal(SIGPIPE, SIG_IGN);  // a connection that is gone is an error, not an end
  if (arguments.dry_run && arguments.runtime_dir == Arguments{}.runtime_dir) {
    arguments.runtime_dir = scratch.emplace().path();
  }
  auto lock = director::lock_runtime(arguments.runtime_dir);
  if (!lock) return folder_failure(lock.error());
  if (!arguments.dry_run) {
    if (auto made = make_state_dir(arguments.state_dir); !made) return folder_failure(made.error());
    options.state_file = arguments.state_dir / "state.json";
    options.settings_folder = arguments.runtime_dir;
  }
  auto groups = director::find_groups(loaded.cluster.director);
  if (!groups) return set_up_failure(groups.error());
  director::join(*groups);
  if (auto tried = director::try_groups(arguments.runtime_dir, *groups); !tried) return set_up_failure(tried.error());
  if (auto secrets = director::read_probe_secrets(loaded.cluster); !secrets) return set_up_failure(secrets.error());
  auto loop = net::Loop::create();
  if (!loop) return failure(loop.error());
  auto kernel = open_kernel(arguments.dry_run);
  if (!kernel) return failure(kernel.error());
  auto table_kernel = open_table_kernel(arguments.dry_run);
  if (!table_kernel) return failure(table_kernel.error());

  net::KernelHost host;
  director::Engine engine(*loop, **kernel, host, std::move(loaded.cluster), std::move(options));
  std::unique_ptr<director::ApiServers> servers;
  std::unique_ptr<director::ServiceManager> manager;
  bool stopping = false;
  auto handled = loop->on_signals({SIGTERM, SIGINT, SIGHUP}, [&](int signal) {
    if (signal == SIGHUP) return reload(servers->reloader());
    if (std::exchange(stopping, true)) return loop->stop();  // told twice: it waits for no successor
    info(fmt::format("{}: stopping", sigdescr_np(signal)));
    if (manager) manager->stopping(engine.resources().stop_time());
    engine.stop([&] {
      if (!manager) return loop->stop();
      manager->when_told([&] { loop->stop(); });
    });
  });
  if (!handled) return failure(handled.error());
  auto opened = director::ApiServers::open(
      *loop, engine,
      {.runtime_dir = arguments.runtime_dir,
       .source = {.file = arguments.config, .node = arguments.node, .host_name = director::host_name()},
       .groups = *std::move(groups),
       .cache = std::move(loaded.cache),
       .replacement = arguments.again,
       .table_kernel = *std::move(table_kernel)});
  if (!opened) return failure(opened.error());
  servers = *std::move(opened);
  if (auto dropped = director::drop_privileges(); !dropped) return failure(dropped.error());
  const auto start_check = start_check_of(arguments);
  if (auto checked = start_check.check_files(engine.cluster(), node); !checked) return set_up_failure(checked.error());
  // Not earlier: threads keep the privileges that they began with.
  if (auto started = director::log::start_thread(); !started) return failure(started.error());
  if (auto started = servers->start(); !started) return failure(started.error());
  info(fmt::format("directord {} on {}, cluster {}{}", net::version(), node.name, engine.cluster().name,
                   arguments.dry_run ? "; dry run: the kernel is not changed" : ""));
  if (scratch) {
    info("query it with: directorctl --socket " + (arguments.runtime_dir / "control.sock").string() + " status");
  }
  if (auto started = engine.start(); !started) return failure(started.error());
  auto told = director::ServiceManager::create(*loop);
  if (!told) return failure(told.error());
  manager = std::move(*told);
  manager->ready(fmt::format("cluster {}, node {}", engine.cluster().name, node.name));
  if (auto ended = loop->run(); !ended) return failure(ended.error());
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  // Whoever reads the log may end before the director does; that must not end the director.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);  // who started this may ignore it, and then no process of ours could be waited for
  keep_freed_memory();
  Arguments arguments;
  arguments.again = {.program = director::own_program(argv[0]), .arguments = {argv, argv + argc}};
  CLI::App app(
      "Layer-4 load-balancer director: IPVS rules, health checks and VRRP virtual addresses from one cluster file.\n"
      "Example: directord --config /etc/directord/cluster.yaml",
      "directord");
  app.failure_message(director::wrong_usage);
  app.set_version_flag("--version", fmt::format("directord {}", net::version()));
  app.add_option("--config", arguments.config, "the cluster file, the same on every director");
  app.add_option("--node", arguments.node, "name of this node in the cluster file; default: the host name");
  app.add_flag("--check", arguments.check, "check the cluster file, print its errors and exit");
  app.add_flag("--dry-run", arguments.dry_run,
               "run the health checks, but keep the IPVS table in memory; needs no privileges, saves nothing");
  app.add_option("--runtime-dir", arguments.runtime_dir, "directory of the control socket and the pid file")
      ->capture_default_str();
  app.add_option("--state-dir", arguments.state_dir, "directory of the state that survives a restart")
      ->capture_default_str();
  app.footer(
      "Exit status: 0 stopped by a signal, 1 could not run, 2 wrong usage or an invalid cluster file, 6 this host is\n"
      "not set up for the cluster file.");
  try {
    app.parse(argc, argv);
    // Asked for here, since the library would tell of it before an option that it does not know.
    if (arguments.config.empty()) throw CLI::RequiredError("--config FILE");
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? done : usage;
  }

  const auto modules = net::Modules::of_host();
  auto loaded = config::load(arguments.config, arguments.dry_run ? nullptr : &modules);
  fmt::print(stderr, "{}", config::to_string(loaded ? loaded->warnings : loaded.error()));
  if (!loaded) return usage;
  auto node = config::this_node(loaded->cluster, arguments.node, director::host_name());
  if (!node && !(arguments.check && arguments.node.empty())) {
    fmt::print(stderr, "directord: {}: {}\n", arguments.config, node.error().message);
    return usage;
  }
  if (arguments.check && node && director::holds_runtime(getppid(), arguments.runtime_dir)) {
    auto checked = start_check_of(arguments).check_replacement(loaded->cluster, *node);
    if (!checked) {
      fmt::print(stderr, "directord: {}\n", checked.error().message);
      return not_configured;
    }
  }
  if (arguments.check) {
    fmt::print("{}: cluster {}, services: {}, virtual routers: {}; the file is valid\n", arguments.config,
               loaded->cluster.name, loaded->cluster.services.size(), loaded->cluster.virtual_routers.size());
    return done;
  }
  const auto ran = run(arguments, std::move(*loaded), std::move(*node));
  if (!ran) error(ran.error().why.message);
  director::log::flush(std::chrono::seconds(1));
  // A thread may hang in a call of the kernel, as on a frozen disk, and may still use what exit() would destroy.
  _exit(ran ? done : ran.error().status);
}
