#include "test/bench/checkers/world.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>

#include "net/fd.h"

namespace bench {
namespace {

constexpr std::uint16_t port = 8080;

void require(bool good, std::string_view doing) {
  if (good) return;
  fmt::print(stderr, "checkers_bench: {}: {}\n", doing, std::strerror(errno));
  std::exit(1);
}

void write_file(const char* path, std::string_view text) { std::ofstream(path) << text; }

}  // namespace

void enter_namespace() {
  const auto uid = getuid();
  if (uid == 0) {
    require(unshare(CLONE_NEWNET) == 0, "make a network namespace");
  } else {
    require(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0, "make a network namespace without being root");
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", fmt::format("0 {} 1", uid));
  }
  const net::Fd any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  require(ioctl(any.get(), SIOCSIFFLAGS, &request) == 0, "bring up loopback");
  write_file("/proc/sys/net/core/somaxconn", "65535");
  write_file("/proc/sys/net/ipv4/tcp_max_syn_backlog", "65535");
  write_file("/proc/sys/net/ipv4/ip_local_port_range", "10000 65000");

  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

net::Endpoint target(std::uint32_t n) {
  const std::byte bytes[] = {std::byte{127}, static_cast<std::byte>(1 + n / 65536), static_cast<std::byte>(n / 256),
                             static_cast<std::byte>(n)};
  return {.address = *net::Address::from_bytes(bytes), .port = port};
}

Servers::Servers()
    : shared_(static_cast<Shared*>(
          mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))),
      pid_(fork()) {
  require(shared_ != MAP_FAILED && pid_ >= 0, "start the servers");
  if (pid_ == 0) serve();
  while (!shared_->ready) {
    require(waitpid(pid_, nullptr, WNOHANG) == 0, "start the servers");
    usleep(1000);
  }
}

Servers::~Servers() {
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  munmap(shared_, sizeof(Shared));
}

void Servers::kill() {
  shared_->ready = false;
  while (!shared_->closed) usleep(100);
}

void Servers::serve() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  net::Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  require(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
              listen(listener.get(), 65535) == 0,
          "listen");
  const net::Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{.events = EPOLLIN, .data = {.fd = listener.get()}};
  epoll_ctl(epoll.get(), EPOLL_CTL_ADD, listener.get(), &event);
  shared_->ready = true;
  constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

  epoll_event events[512];
  for (;;) {
    const int count = epoll_wait(epoll.get(), events, 512, 1);
    if (listener && !shared_->ready) {
      listener = net::Fd();
      shared_->closed = true;
    }
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (listener && fd == listener.get()) {
        for (int accepted; (accepted = accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
          ++shared_->accepted;
          event = {.events = EPOLLIN, .data = {.fd = accepted}};
          epoll_ctl(epoll.get(), EPOLL_CTL_ADD, accepted, &event);
        }
        continue;
      }
      char buffer[2048];
      if (recv(fd, buffer, sizeof buffer, 0) > 0) {
        send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
        shutdown(fd, SHUT_WR);
      } else {
        close(fd);
      }
    }
  }
}

double own_cpu() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double cpu_of(pid_t pid) {
  std::string text;
  std::getline(std::ifstream(fmt::format("/proc/{}/stat", pid)), text);
  const auto after_name = text.rfind(')');
  if (after_name == std::string::npos) return 0;
  long user = 0;
  long system = 0;
  std::sscanf(text.c_str() + after_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user, &system);
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double memory_of(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::strtod(line.c_str() + 6, nullptr) * 1024;
  }
  return 0;
}

}  // namespace bench
