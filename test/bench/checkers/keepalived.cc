#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "net/fd.h"
#include "net/time.h"
#include "test/bench/checkers/measures.h"
#include "test/bench/checkers/world.h"

namespace bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* program = "/usr/sbin/keepalived";

void write_config(const fs::path& path, const Run& run) {
  std::ofstream file(path);

  const auto check = run.kind == Kind::tcp ? std::string("TCP_CHECK { connect_timeout 1 retry 2 delay_before_retry 1 }")
                                           : std::string(
                                                 "HTTP_GET { url { path /health status_code 200 } "
                                                 "connect_timeout 1 retry 2 delay_before_retry 1 }");
  constexpr std::uint32_t per_service = 100;
  for (std::uint32_t n = 0; n < run.targets; ++n) {
    if (n % per_service == 0) {
      file << fmt::format(
          "virtual_server 192.0.2.{} {} {{\n  delay_loop {}\n  lb_algo rr\n  lb_kind NAT\n  protocol TCP\n",
          n / per_service % 250 + 1, 1000 + n / per_service, run.interval);
    }
    const auto endpoint = target(n);
    file << fmt::format("  real_server {} {} {{ {} }}\n", to_string(endpoint.address), endpoint.port, check);
    if (n % per_service == per_service - 1 || n == run.targets - 1) file << "}\n";
  }
}

/// keepalived as a child of ours, with its checker as its child.
class Keepalived {
 public:
  Keepalived(const Run& run, const fs::path& folder) : folder_(folder) {
    write_config(folder / "keepalived.conf", run);
    std::ofstream(folder / "count") << std::string(8, '\0');
    const net::Fd fd(open((folder / "count").c_str(), O_RDWR | O_CLOEXEC));
    count_ = static_cast<std::atomic<std::uint64_t>*>(mmap(nullptr, 8, PROT_READ, MAP_SHARED, fd.get(), 0));
    pid_ = fork();
    if (pid_ == 0) exec();
  }
  ~Keepalived() {
    ::kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
    munmap(count_, 8);
  }
  Keepalived(const Keepalived&) = delete;
  Keepalived& operator=(const Keepalived&) = delete;

  [[nodiscard]] std::uint64_t requests() const { return *count_; }

  [[nodiscard]] pid_t checker() const {
    pid_t child = 0;
    std::ifstream(fmt::format("/proc/{0}/task/{0}/children", pid_)) >> child;
    return child;
  }

 private:
  [[noreturn]] void exec() const {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    const auto log = (folder_ / "log").string();
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    dup2(out, 1);
    dup2(out, 2);
    const auto stub = fs::canonical("/proc/self/exe").parent_path() / "ipvs_stub.so";
    setenv("LD_PRELOAD", stub.c_str(), 1);
    setenv("IPVS_STUB_COUNT", (folder_ / "count").c_str(), 1);
    execl(program, program, "-n", "-C", "-l", "-D", "-f", (folder_ / "keepalived.conf").c_str(), "-p",
          (folder_ / "pid").c_str(), "-c", (folder_ / "checkers.pid").c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }

  fs::path folder_;
  std::atomic<std::uint64_t>* count_;
  pid_t pid_;
};

Measures measure(const Run& run, const fs::path& folder, double memory_without) {
  Servers servers;
  Keepalived keepalived(run, folder);
  // Its start-up keeps it busy for seconds; only what it does once it keeps pace is measured.
  const double pace = run.targets / run.interval;
  int steady = 0;
  for (int i = 0; i < 60 && steady < 3; ++i) {
    const auto before = servers.accepted();
    usleep(1'000'000);
    steady = static_cast<double>(servers.accepted() - before) > 0.9 * pace ? steady + 1 : 0;
  }
  const auto checker = keepalived.checker();
  Measures measures;
  const auto checks_before = servers.accepted();
  const auto cpu_before = cpu_of(checker);
  usleep(static_cast<useconds_t>(run.seconds * 1e6));
  const auto checks = static_cast<double>(servers.accepted() - checks_before);
  if (checker == 0 || checks < run.targets / 2.0) return {};
  measures.cpu_per_check = (cpu_of(checker) - cpu_before) / checks;
  measures.memory_per_target = (memory_of(checker) - memory_without) / run.targets;

  const auto requests_before = keepalived.requests();
  servers.kill();
  const auto died = net::monotonic_now();
  const auto elapsed = [&] { return std::chrono::duration<double>(net::monotonic_now() - died).count(); };
  while (elapsed() < fall * (run.interval + 1) + 20) {
    if (keepalived.requests() >= requests_before + run.targets) {
      measures.all_out = elapsed();
      break;
    }
    usleep(2000);
  }
  return measures;
}

}  // namespace

Measures measure_keepalived(const Run& run) {
  if (access(program, X_OK) != 0) return {};
  std::string folder = (fs::temp_directory_path() / "bench-keepalived-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return {};
  double memory_without = 0;
  {
    const Keepalived empty({.targets = 1}, folder);
    usleep(2'000'000);
    memory_without = memory_of(empty.checker());
  }
  const auto measures = measure(run, folder, memory_without);
  if (measures.cpu_per_check == 0) {
    fmt::print(stderr, "checkers_bench: keepalived did not come up with {} targets; its log is {}/log\n", run.targets,
               folder);
  } else {
    fs::remove_all(folder);
  }
  return measures;
}

}  // namespace bench
