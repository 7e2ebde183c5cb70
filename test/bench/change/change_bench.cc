// change_bench WHO SERVICES BIN: what changes cost directord (WHO is ours) or keepalived, with SERVICES services of
// four servers, each with a TCP check that passes; prints lines "MEASURE UNIT VALUE". For a kernel of its own, with
// IPVS: the lab's.
//
// Wall times end when the kernel holds the change; CPU is of all the daemon's processes until they are quiet again, in
// ticks of 10 ms, so small costs are means of several changes.
#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "ipvs/netlink_kernel.h"

namespace {

using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr unsigned servers_each = 4;
constexpr double patience = 300;  // seconds
constexpr int changes_max = 20;
constexpr double changes_seconds = 10;  // of which no further one is begun

[[noreturn]] void die(const std::string& message) {
  fmt::print(stderr, "change_bench: {}\n", message);
  std::exit(1);
}

void report(std::string_view measure, std::string_view unit, double value) {
  fmt::print("{} {} {:.6f}\n", measure, unit, value);
  std::fflush(stdout);
}

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }
void pause(int milliseconds) { ::usleep(static_cast<useconds_t>(milliseconds) * 1000); }

struct File {
  unsigned services = 0;
  unsigned weight = 1;  ///< of the first server of the service in the middle
};

std::string service_address(unsigned i) { return fmt::format("10.1.{}.{}", i / 250, 1 + i % 250); }
std::string server_address(unsigned i, unsigned j) {
  const unsigned n = i * servers_each + j;
  return fmt::format("10.{}.{}.{}", 2 + n / 62500, n / 250 % 250, 1 + n % 250);
}
unsigned weight_of(const File& file, unsigned middle, unsigned i, unsigned j) {
  return i == middle && j == 0 ? file.weight : 1;
}

struct Daemon {
  std::string name;
  std::vector<std::string> words;
  fs::path path;
  std::function<std::string(const File&, unsigned middle)> text;
};

std::string cluster_file(const File& file, unsigned middle) {
  std::string text = "cluster: bench\nservices:\n";
  for (unsigned i = 0; i < file.services; ++i) {
    text += fmt::format(
        "  s{}:\n    listen: {}:80\n    scheduler: wlc\n    forward: nat\n    check: {{ tcp: , interval: 1h, initial: "
        "up "
        "}}\n    servers:\n",
        i, service_address(i));
    for (unsigned j = 0; j < servers_each; ++j) {
      text += fmt::format("      r{}: {{ address: {}, weight: {} }}\n", j, server_address(i, j),
                          weight_of(file, middle, i, j));
    }
  }
  return text;
}

std::string keepalived_file(const File& file, unsigned middle) {
  std::string text;
  for (unsigned i = 0; i < file.services; ++i) {
    text += fmt::format("virtual_server {} 80 {{\n  lb_algo wlc\n  lb_kind NAT\n  protocol TCP\n  delay_loop 3600\n",
                        service_address(i));
    for (unsigned j = 0; j < servers_each; ++j) {
      text += fmt::format(
          "  real_server {} 80 {{\n    weight {}\n    TCP_CHECK {{\n      connect_timeout 5\n    }}\n  }}\n",
          server_address(i, j), weight_of(file, middle, i, j));
    }
    text += "}\n";
  }
  return text;
}

Daemon daemon_of(std::string_view who, const fs::path& folder, const fs::path& bin) {
  if (who == "ours") {
    const fs::path path = folder / "cluster.yaml";
    return {.name = "directord",
            .words = {bin / "directord", "--config", path, "--runtime-dir", folder / "run", "--state-dir",
                      folder / "state"},
            .path = path,
            .text = cluster_file};
  }
  const fs::path path = folder / "keepalived.conf";
  return {
      .name = "keepalived",
      .words = {"/usr/sbin/keepalived", "-n", "-C", "-f", path, "-p", folder / "pid", "-c", folder / "checkers.pid"},
      .path = path,
      .text = keepalived_file};
}

/// CPU seconds of all processes of that name.
double cpu_of(const std::string& name) {
  double ticks = 0;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "stat");
    std::string line;
    if (!std::getline(file, line) || !line.contains("(" + name + ")")) continue;
    unsigned long user = 0, system = 0;
    const auto* fields = line.c_str() + line.rfind(')') + 2;
    if (std::sscanf(fields, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2) {
      ticks += static_cast<double>(user + system);
    }
  }
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

class Bench {
 public:
  Bench(Daemon daemon, unsigned services)
      : daemon_(std::move(daemon)),
        file_{.services = services},
        middle_(services / 2),
        kernel_(*ipvs::NetlinkKernel::open()) {}

  void run() {
    write();
    const auto start = Clock::now();
    begin();
    const auto whole = [&] { return destinations(file_.services - 1).size() == servers_each; };
    wait_for(whole, 20);
    report("cold_start", "s", since(start));
    settle();
    check_table();
    report("cold_start_cpu", "s", cpu_of(daemon_.name));

    changes("unchanged", [] {}, {});
    changes("one_server", [&] { file_.weight = file_.weight % 9 + 1; }, [&] { return holds_weight(); });
    changes(
        "one_service", [&] { ++file_.services; },
        [&] { return destinations(file_.services - 1).size() == servers_each; });
    check_table();
    ::kill(pid_, SIGKILL);
  }

 private:
  void write() const {
    std::ofstream(daemon_.path.string() + ".new") << daemon_.text(file_, middle_);
    fs::rename(daemon_.path.string() + ".new", daemon_.path);
  }

  void begin() {
    std::vector<char*> argv;
    for (std::string& word : daemon_.words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      const int log = ::open((daemon_.path.parent_path() / "log").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
      ::dup2(log, STDOUT_FILENO);
      ::dup2(log, STDERR_FILENO);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
  }

  std::vector<ipvs::DestinationRow> destinations(unsigned service) {
    const auto rows =
        kernel_.destinations({.protocol = ipvs::Protocol::tcp,
                              .endpoint = {.address = *net::Address::parse(service_address(service)), .port = 80},
                              .fwmark = 0});
    return rows.value_or(std::vector<ipvs::DestinationRow>{});
  }

  bool holds_weight() {
    const auto address = *net::Address::parse(server_address(middle_, 0));
    for (const auto& row : destinations(middle_)) {
      if (row.key.endpoint.address == address) return row.status.destination.weight == file_.weight;
    }
    return false;
  }

  template <class Condition>
  void wait_for(Condition holds, int every_milliseconds) const {
    const auto start = Clock::now();
    while (!holds()) {
      if (since(start) > patience || ::waitpid(pid_, nullptr, WNOHANG) != 0) die(daemon_.name + " did not do it");
      pause(every_milliseconds);
    }
  }

  /// Until the daemon has used no CPU for a while.
  void settle() const {
    const auto start = Clock::now();
    for (double before = -1, now = cpu_of(daemon_.name); before != now; before = now, now = cpu_of(daemon_.name)) {
      if (since(start) > patience) die(daemon_.name + " is never quiet");
      pause(300);
    }
  }

  template <class Change>
  void changes(std::string_view name, Change change, const std::function<bool()>& done) {
    const double before = cpu_of(daemon_.name);
    const auto start = Clock::now();
    double wall = 0;
    int count = 0;
    for (; count == 0 || (count < changes_max && since(start) < changes_seconds); ++count) {
      change();
      write();
      const auto asked = Clock::now();
      ::kill(pid_, SIGHUP);
      if (done) wait_for(done, 2);
      wall += since(asked);
      settle();
    }
    if (done) report(name, "s", wall / count);
    report(fmt::format("{}_cpu", name), "s", (cpu_of(daemon_.name) - before) / count);
  }

  void check_table() {
    const auto table = kernel_.list();
    if (!table) die(table.error().message);
    std::size_t count = 0;
    for (const auto& [key, service] : *table) count += service.destinations.size();
    if (table->size() != file_.services || count != std::size_t{file_.services} * servers_each) {
      die(fmt::format("the kernel holds {} services and {} servers", table->size(), count));
    }
  }

  Daemon daemon_;
  File file_;
  unsigned middle_;
  ipvs::NetlinkKernel kernel_;
  pid_t pid_ = -1;
};

void raise_lo() {
  const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  if (::ioctl(socket, SIOCSIFFLAGS, &request) < 0) die("cannot raise lo");
  ::close(socket);
}

/// What the checks find: all of 10.0.0.0/8 is this host, and somebody answers on port 80.
void answer_checks() {
  if (std::system("ip route add local 10.0.0.0/8 dev lo") != 0) die("cannot make 10.0.0.0/8 local");
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in any{.sin_family = AF_INET, .sin_port = htons(80), .sin_addr = {}, .sin_zero = {}};
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&any), sizeof any) < 0 || ::listen(listener, 4096) < 0) {
    die("cannot listen on port 80");
  }
  std::thread([listener] {
    while (true) ::close(::accept(listener, nullptr, nullptr));
  }).detach();
}

}  // namespace

int main(int argc, char** argv) {
  const int services = argc == 4 ? std::atoi(argv[2]) : 0;
  if (services <= 0) die("usage: change_bench ours|keepalived SERVICES BIN, as root on a kernel with IPVS");
  raise_lo();
  answer_checks();
  std::string folder = "/run/change-bench-XXXXXX";
  if (!::mkdtemp(folder.data())) die("cannot make a folder");
  fs::create_directories(fs::path(folder) / "state");
  Bench(daemon_of(argv[1], folder, argv[3]), static_cast<unsigned>(services)).run();
}
