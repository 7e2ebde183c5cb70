// ipvs_bench WHO TABLE: measures one program on one table, in a kernel that has done nothing else (what it has deleted
// would slow it), and prints lines "MEASURE UNIT VALUE". TABLE is SERVICESxDESTINATIONS. WHO is a program with
// ipvsadm's grammar, or "floor": the same messages, built beforehand and sent in batches, and nothing else; "kernel" is
// the part of that which no program can do without, "floor" has the start of a process before it, as the programs have.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "ipvs/codec.h"
#include "ipvs/netlink_kernel.h"
#include "net/netlink.h"

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void die(const std::string& message) {
  fmt::print(stderr, "ipvs_bench: {}\n", message);
  std::exit(1);
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void report(std::string_view measure, std::string_view unit, double value) {
  fmt::print("{} {} {:.6f}\n", measure, unit, value);
  std::fflush(stdout);
}

struct TableSize {
  unsigned services = 0, destinations = 0;
};

ipvs::ServiceKey service_key(unsigned i) {
  return {.protocol = ipvs::Protocol::tcp,
          .endpoint = {.address = *net::Address::parse(fmt::format("10.1.{}.{}", i / 250, 1 + i % 250)), .port = 80},
          .fwmark = 0};
}

/// No destination is in two services.
ipvs::DestinationKey destination_key(unsigned service, unsigned i, TableSize size) {
  const unsigned n = service * size.destinations + i;
  const std::string address = fmt::format("10.{}.{}.{}", 2 + n / 62500, n / 250 % 250, 1 + n % 250);
  return {.endpoint = {.address = *net::Address::parse(address), .port = 80}};
}

std::string rules(TableSize size) {
  std::string text;
  for (unsigned i = 0; i < size.services; ++i) {
    const std::string service = to_string(service_key(i).endpoint);
    text += fmt::format("-A -t {} -s wlc\n", service);
    for (unsigned j = 0; j < size.destinations; ++j) {
      text += fmt::format("-a -t {} -r {} -g -w 1\n", service, to_string(destination_key(i, j, size)));
    }
  }
  return text;
}

int memory_file(std::string_view content) {
  const int fd = ::memfd_create("rules", 0);
  if (fd < 0 || ::write(fd, content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
    die("cannot make a file in memory");
  }
  return fd;
}

/// Begins a program, with `input` as its standard input from its start, and its output thrown away.
pid_t begin(std::vector<std::string> words, int input, bool traced) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::lseek(input, 0, SEEK_SET);
  const pid_t child = ::vfork();
  if (child == 0) {
    if (traced) ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::dup2(input, STDIN_FILENO);
    ::dup2(::open("/dev/null", O_WRONLY), STDOUT_FILENO);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  if (child < 0) die("cannot fork");
  return child;
}

/// How long a program takes from its exec to its end.
double seconds(const std::vector<std::string>& words, int input) {
  const auto start = Clock::now();
  const pid_t child = begin(words, input, false);
  int status = 0;
  if (::waitpid(child, &status, 0) != child || status != 0) {
    die(fmt::format("{} failed with status {}", fmt::join(words, " "), status));
  }
  return seconds_since(start);
}

/// A program's peak memory, as the kernel knows it at its last moment. (ru_maxrss would count this program's pages,
/// which the child shares until its exec.)
double peak_kilobytes(const std::vector<std::string>& words, int input) {
  const pid_t child = begin(words, input, true);
  int status = 0;
  ::waitpid(child, &status, 0);  // stopped at its exec
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL);
  double peak = 0;
  while (true) {
    ::ptrace(PTRACE_CONT, child, nullptr, nullptr);
    if (::waitpid(child, &status, 0) != child) die("lost a traced program");
    if (WIFEXITED(status) || WIFSIGNALED(status)) break;
    if (status >> 8 != (SIGTRAP | PTRACE_EVENT_EXIT << 8)) continue;
    std::ifstream file(fmt::format("/proc/{}/status", child));
    for (std::string line; std::getline(file, line);) std::sscanf(line.c_str(), "VmHWM: %lf", &peak);
  }
  if (status != 0 || peak == 0) die(fmt::format("{} failed under trace: {}", fmt::join(words, " "), status));
  return peak;
}

/// Dies unless the kernel holds the whole table: a quick answer is worth nothing if it is wrong.
void check_table(TableSize size) {
  auto kernel = ipvs::NetlinkKernel::open();
  if (!kernel) die(kernel.error().message);
  const auto snapshot = kernel->list();
  if (!snapshot) die(snapshot.error().message);
  std::size_t destinations = 0;
  for (const auto& [key, service] : *snapshot) destinations += service.destinations.size();
  if (snapshot->size() != size.services || destinations != std::size_t{size.services} * size.destinations) {
    die(fmt::format("the kernel holds {} services and {} destinations", snapshot->size(), destinations));
  }
}

/// Time and memory are two runs: being traced costs time.
void measure_program(const std::string& program, TableSize size) {
  const int nothing = memory_file("");
  seconds({program, "-L"}, nothing);  // so that modules and pages are loaded for all alike
  const int file = memory_file(rules(size));
  report("restore", "s", seconds({program, "-R"}, file));
  check_table(size);
  const std::string service = to_string(service_key(size.services / 2).endpoint);
  const std::string destination = to_string(destination_key(size.services / 2, 1, size));
  report("change_weight", "s", seconds({program, "-e", "-t", service, "-r", destination, "-g", "-w", "7"}, nothing));
  report("list", "s", seconds({program, "-Ln"}, nothing));
  report("save", "s", seconds({program, "-Sn"}, nothing));
  report("list_memory", "kB", peak_kilobytes({program, "-Ln"}, nothing));
  report("save_memory", "kB", peak_kilobytes({program, "-Sn"}, nothing));
  seconds({program, "-C"}, nothing);
  report("restore_memory", "kB", peak_kilobytes({program, "-R"}, file));
}

/// The messages that add the whole table.
net::NetlinkBatch table_messages(std::uint16_t family, TableSize size) {
  net::NetlinkBatch batch;
  for (unsigned i = 0; i < size.services; ++i) {
    encode(batch, family, ipvs::AddService{service_key(i), {}});
    for (unsigned j = 0; j < size.destinations; ++j) {
      encode(batch, family,
             ipvs::AddDestination{service_key(i), destination_key(i, j, size), {.forward = ipvs::Forward::route}});
    }
  }
  return batch;
}

/// Asks for the whole table and looks at nothing of it.
double list_seconds(net::Netlink& socket, std::uint16_t family, TableSize size) {
  net::NetlinkBatch question;
  const auto dump = [&] {
    const auto dumped = socket.dump(question, [](const net::NetlinkMessage&) {}, [] {});
    if (!dumped) die(dumped.error().message);
  };
  const auto start = Clock::now();
  ipvs::encode_list_services(question, family);
  dump();
  for (unsigned i = 0; i < size.services; ++i) {
    question.clear();
    encode_list_destinations(question, family, service_key(i));
    dump();
  }
  return seconds_since(start);
}

/// WHO is "kernel" or "floor": each adds the table, and only a kernel that has deleted nothing is as fast again.
void measure_messages(std::string_view who, TableSize size) {
  auto socket = net::Netlink::open(NETLINK_GENERIC);
  if (!socket) die(socket.error().message);
  const auto family = socket->resolve_family("IPVS");
  if (!family) die(family.error().message);
  net::NetlinkBatch batch = table_messages(*family, size);
  if (who == "floor") {
    const std::string floor = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "ipvs_floor";
    std::string bytes;
    for (std::size_t i = 0; i < batch.count(); ++i) {
      const net::Bytes message = batch.message(i);
      bytes.append(reinterpret_cast<const char*>(message.data()), message.size());
    }
    const int file = memory_file(bytes);
    report("restore", "s", seconds({floor}, file));
  } else {
    const auto start = Clock::now();
    const auto refusals = socket->exchange(batch);
    report("restore", "s", seconds_since(start));
    if (!refusals || !refusals->empty()) die("the kernel refused a message");
    report("list", "s", list_seconds(*socket, *family, size));
  }
  check_table(size);
}

void raise_lo() {
  const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  if (::ioctl(socket, SIOCSIFFLAGS, &request) < 0) die("cannot raise lo");
  ::close(socket);
}

}  // namespace

int main(int argc, char** argv) {
  TableSize size;
  if (argc != 3 || std::sscanf(argv[2], "%ux%u", &size.services, &size.destinations) != 2) {
    die("usage: ipvs_bench PROGRAM|floor|kernel SERVICESxDESTINATIONS, as root on a kernel with IPVS");
  }
  raise_lo();
  if (argv[1] == std::string_view("floor") || argv[1] == std::string_view("kernel")) {
    measure_messages(argv[1], size);
  } else {
    measure_program(argv[1], size);
  }
}
