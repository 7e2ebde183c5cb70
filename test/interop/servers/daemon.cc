#include "test/interop/servers/daemon.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include "net/fd.h"
#include "test/catch.h"
#include "test/interop/namespace.h"

using namespace std::chrono_literals;

namespace {

bool accepts(std::uint16_t port) {
  const net::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

Workshop::Workshop() {
  // One for all: the servers may then listen where they please.
  [[maybe_unused]] static const bool entered = (enter_fresh_namespace(), true);
  std::string pattern = (std::filesystem::temp_directory_path() / "directord-interop-XXXXXX").string();
  path = mkdtemp(pattern.data());
  // Servers that give up root must still find their way in.
  std::filesystem::permissions(path, std::filesystem::perms(0755));
}

Workshop::~Workshop() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

std::string Workshop::file(const std::string& name, const std::string& text) const {
  std::ofstream(path / name) << text;
  std::filesystem::permissions(path / name, std::filesystem::perms(0600));
  return path / name;
}

net::Endpoint local(std::uint16_t port) { return {.address = net::Address::parse("127.0.0.1").value(), .port = port}; }

Daemon::Daemon(const Workshop& workshop, std::vector<std::string> argv, std::uint16_t port) {
  const auto log = workshop.path / (std::filesystem::path(argv[0]).filename().string() + ".log");
  INFO(argv[0] << " is missing or cannot be run; test/interop/packages names what has to be installed");
  REQUIRE(access(argv[0].c_str(), X_OK) == 0);
  std::vector<char*> words;
  for (auto& word : argv) words.push_back(word.data());
  words.push_back(nullptr);
  pid_ = fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(open("/dev/null", O_RDONLY), 0);
    dup2(out, 1);
    dup2(out, 2);
    if (chdir(workshop.path.c_str()) == 0) execv(words[0], words.data());
    _exit(127);
  }
  setpgid(pid_, pid_);
  if (port == 0) return;
  const auto limit = std::chrono::steady_clock::now() + 60s;
  int status = 0;
  while (!accepts(port)) {
    const bool ended = waitpid(pid_, &status, WNOHANG) == pid_;
    if (!ended && std::chrono::steady_clock::now() < limit) {
      std::this_thread::sleep_for(10ms);
      continue;
    }
    if (ended) pid_ = -1;
    FAIL(argv[0] << " does not serve on port " << port << ":\n" << text_of(log));
  }
}

Daemon::~Daemon() { kill(); }

void Daemon::freeze() const { ::kill(-pid_, SIGSTOP); }

void Daemon::thaw() const { ::kill(-pid_, SIGCONT); }

void Daemon::kill() {
  if (pid_ < 0) return;
  ::kill(-pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  // Its children are not ours to wait for; their sockets close when the last of the group is gone.
  const auto limit = std::chrono::steady_clock::now() + 10s;
  while (::kill(-pid_, 0) == 0 && std::chrono::steady_clock::now() < limit) std::this_thread::sleep_for(5ms);
  pid_ = -1;
}
