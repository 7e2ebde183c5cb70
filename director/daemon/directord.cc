// directord: the daemon. In the foreground, with its log on standard error; a service manager does the rest.
// Exit status: 0 stopped as asked (or --check found nothing wrong), 1 could not run, 2 wrong usage or a bad file.

#include <fmt/format.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <memory>
#include <optional>
#include <string>

#include "config/load.h"
#include "director/control/api.h"
#include "director/control/http_server.h"
#include "director/control/status_writer.h"
#include "director/daemon/privileges.h"
#include "director/daemon/replacement.h"
#include "director/daemon/runtime.h"
#include "director/daemon/service_manager.h"
#include "director/engine/engine.h"
#include "director/engine/log.h"
#include "director/engine/probe_secrets.h"
#include "director/engine/reloader.h"
#include "director/engine/table_reader.h"
#include "director/usage/host_name.h"
#include "director/usage/wrong_usage.h"
#include "ipvs/memory_kernel.h"
#include "ipvs/netlink_kernel.h"
#include "net/kernel_host.h"
#include "net/version.h"

namespace {

using director::log::error;
using director::log::info;

enum Exit { done = 0, failed = 1, usage = 2 };

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

/// Of who runs with what is left of the privileges: root without CAP_DAC_OVERRIDE may not write everywhere.
net::Result<> can_write_to(const std::filesystem::path& dir) {
  if (access(dir.c_str(), W_OK) == 0) return {};
  return net::system_error(errno, fmt::format("write to {} (it must belong to the user of directord)", dir.string()));
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

/// What answers on the sockets, and what it is about.
struct ApiServers {
  std::unique_ptr<director::Reloader> reloader;
  std::unique_ptr<director::Replacer> replacer;
  std::unique_ptr<director::TableReader> table;
  std::unique_ptr<director::StatusWriter> status;
  std::unique_ptr<director::HttpServer> control, readers;
};

/// Over sockets of its own; none for a table in memory.
net::Result<std::unique_ptr<director::TableReader>> open_table_reader(net::Loop& loop, bool dry_run) {
  if (dry_run) return nullptr;
  auto kernel = open_kernel(dry_run);
  if (!kernel) return std::unexpected(kernel.error());
  return director::TableReader::create(loop, std::move(*kernel));
}

net::Result<ApiServers> open_api_servers(net::Loop& loop, director::Engine& engine, const Arguments& arguments,
                                         config::ReloadCache cache) {
  auto reloader = director::Reloader::create(
      loop, engine, {.file = arguments.config, .node = arguments.node, .host_name = director::host_name()},
      std::move(cache));
  if (!reloader) return std::unexpected(reloader.error());
  auto replacer = director::Replacer::create(
      loop, arguments.again, [&engine](std::function<void()> then) { engine.prepare_exec(std::move(then)); });
  if (!replacer) return std::unexpected(replacer.error());
  auto table = open_table_reader(loop, arguments.dry_run);
  if (!table) return std::unexpected(table.error());
  ApiServers servers{.reloader = std::move(*reloader),
                     .replacer = std::move(*replacer),
                     .table = std::move(*table),
                     .status = std::make_unique<director::StatusWriter>(engine),
                     .control = {},
                     .readers = {}};

  const auto& access = engine.cluster().director;
  const director::Control control{
      .engine = engine,
      .reloader = *servers.reloader,
      .status = *servers.status,
      .replace = [&replacer = *servers.replacer](auto done) { replacer.replace(std::move(done)); },
      .table = servers.table.get()};
  auto control_server =
      director::HttpServer::listen(loop, arguments.runtime_dir / "control.sock", access.operators,
                                   [control](const director::Request& request, director::HttpServer::Respond respond) {
                                     answer(control, request, std::move(respond));
                                   });
  if (!control_server) return std::unexpected(control_server.error());
  servers.control = std::move(*control_server);
  if (access.readers.empty()) return servers;
  auto readers_server =
      director::HttpServer::listen(loop, arguments.runtime_dir / "status.sock", access.readers,
                                   [control](const director::Request& request, director::HttpServer::Respond respond) {
                                     answer_reader(control, request, std::move(respond));
                                   });
  if (!readers_server) return std::unexpected(readers_server.error());
  servers.readers = std::move(*readers_server);
  return servers;
}

/// Runs until a signal ends it.
net::Result<> run(Arguments arguments, config::Loaded loaded, config::Node node) {
  std::optional<Scratch> scratch;
  director::Options options{.node = node, .state_file = {}, .settings_folder = {}, .dry_run = arguments.dry_run};
  if (arguments.dry_run && arguments.runtime_dir == Arguments{}.runtime_dir) {
    arguments.runtime_dir = scratch.emplace().path();
  }
  auto lock = director::lock_runtime(arguments.runtime_dir);
  if (!lock) return std::unexpected(lock.error());
  if (!arguments.dry_run) {
    if (auto made = make_state_dir(arguments.state_dir); !made) return made;
    options.state_file = arguments.state_dir / "state.json";
    options.settings_folder = arguments.runtime_dir;
  }
  if (auto secrets = director::read_probe_secrets(loaded.cluster); !secrets) return secrets;
  auto loop = net::Loop::create();
  if (!loop) return std::unexpected(loop.error());
  auto kernel = open_kernel(arguments.dry_run);
  if (!kernel) return std::unexpected(kernel.error());

  info(fmt::format("directord {} on {}, cluster {}{}", net::version(), node.name, loaded.cluster.name,
                   arguments.dry_run ? "; dry run: the kernel is not changed" : ""));
  if (scratch) {
    info("query it with: directorctl --socket " + (arguments.runtime_dir / "control.sock").string() + " status");
  }
  net::KernelHost host;
  director::Engine engine(*loop, **kernel, host, std::move(loaded.cluster), std::move(options));
  ApiServers servers;
  std::optional<director::ServiceManager> manager;
  bool stopping = false;
  auto handled = loop->on_signals({SIGTERM, SIGINT, SIGHUP}, [&](int signal) {
    if (signal == SIGHUP) return reload(*servers.reloader);
    if (std::exchange(stopping, true)) return loop->stop();  // told twice: it waits for no successor
    info(fmt::format("{}: stopping", sigdescr_np(signal)));
    if (manager) manager->stopping();
    engine.stop([&] { loop->stop(); });
  });
  if (!handled) return handled;
  auto opened = open_api_servers(*loop, engine, arguments, std::move(loaded.cache));
  if (!opened) return std::unexpected(opened.error());
  servers = std::move(*opened);
  if (auto dropped = director::drop_privileges(); !dropped) return dropped;
  if (!arguments.dry_run) {
    if (auto writable = can_write_to(arguments.state_dir); !writable) return writable;
  }
  if (auto started = engine.start(); !started) return started;
  manager.emplace(*loop);
  manager->ready(fmt::format("cluster {}, node {}", engine.cluster().name, node.name));
  return loop->run();
}

}  // namespace

int main(int argc, char** argv) {
  // Whoever reads the log may end before the director does; that must not end the director.
  std::signal(SIGPIPE, SIG_IGN);
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
  app.footer("Exit status: 0 stopped by a signal, 1 could not run, 2 wrong usage or an invalid cluster file.");
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
  if (arguments.check) {
    fmt::print("{}: cluster {}, services: {}, virtual routers: {}; the file is valid\n", arguments.config,
               loaded->cluster.name, loaded->cluster.services.size(), loaded->cluster.virtual_routers.size());
    return done;
  }
  if (auto ran = run(arguments, std::move(*loaded), std::move(*node)); !ran) {
    error(ran.error().message);
    return failed;
  }
  return done;
}
