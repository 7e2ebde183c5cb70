// The same agent, asked by us and by haproxy, whose protocol it is: both make the same of what it says.

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <mutex>
#include <thread>

#include "test/interop/servers/daemon.h"
#include "test/interop/servers/probing.h"
#include "test/unit/checkers/server.h"

using namespace checkers;
using namespace std::chrono_literals;

namespace {

/// What the agent says now.
class Word {
 public:
  void say(std::string word) {
    const std::lock_guard lock(mutex_);
    word_ = std::move(word);
  }
  std::string said() {
    const std::lock_guard lock(mutex_);
    return word_;
  }

 private:
  std::mutex mutex_;
  std::string word_ = "up";
};

/// One question to haproxy's runtime API.
std::string ask(const std::string& path, const std::string& question) {
  const net::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return "";
  const auto line = question + "\n";
  if (send(socket.get(), line.data(), line.size(), MSG_NOSIGNAL) < 0) return "";
  std::string answer;
  char buffer[4096];
  for (ssize_t count; (count = recv(socket.get(), buffer, sizeof buffer, 0)) > 0;)
    answer.append(buffer, static_cast<std::size_t>(count));
  return answer;
}

struct View {
  std::string status;  ///< UP, DOWN, DRAIN or MAINT
  std::string weight;

  bool operator==(const View&) const = default;
};

/// haproxy's view of its only server.
View theirs(const std::string& socket) {
  const auto table = ask(socket, "show stat");
  const auto row = table.find("\nweb,one,");
  if (row == std::string::npos) return {};
  std::vector<std::string> fields(1);
  for (std::size_t i = row + 1; i < table.size() && table[i] != '\n'; ++i) {
    if (table[i] == ',') {
      fields.emplace_back();
    } else {
      fields.back() += table[i];
    }
  }
  if (fields.size() < 19) return {};
  return {.status = fields[17].substr(0, fields[17].find(' ')), .weight = fields[18]};
}

/// The same for what we make of one answer; it leaves the weight as it was unless it names one.
View ours(const Result& result, std::string weight) {
  const auto& advice = result.advice;
  std::string status = result.outcome == Outcome::passed ? "UP" : "DOWN";
  if (advice.admin_state == Advice::AdminState::drain) status = "DRAIN";
  if (advice.admin_state == Advice::AdminState::maint) status = "MAINT";
  return {.status = status, .weight = advice.weight ? std::to_string(advice.weight->value) : std::move(weight)};
}

}  // namespace

TEST_CASE("what an agent says is understood as haproxy understands it") {
  const Workshop workshop;
  Word word;
  Server agent([&](Peer& peer) { peer.write(word.said() + "\n"); });
  const auto socket = workshop.path / "haproxy.sock";
  const auto file = workshop.file("haproxy.cfg", fmt::format(R"(global
  stats socket {} mode 600 level admin
defaults
  mode tcp
  timeout connect 1s
  timeout server 1s
  timeout client 1s
listen web
  bind 127.0.0.1:8081
  server one 127.0.0.1:8080 weight 100 check port 8081 inter 100ms agent-check agent-port {} agent-inter 50ms
)",
                                                             socket.string(), agent.endpoint().port));
  Daemon haproxy(workshop, {"/usr/sbin/haproxy", "-db", "-f", file}, 8081);
  struct Row {
    std::string said;
    View view;
  };
  const Row rows[] = {{"75%", {"UP", "75"}},
                      {"drain", {"DRAIN", "75"}},
                      {"ready 40%", {"UP", "40"}},
                      {"maint", {"MAINT", "40"}},
                      {"ready up 100%", {"UP", "100"}},
                      {"down # disk is full", {"DOWN", "100"}},
                      {"up", {"UP", "100"}},
                      {"fail", {"DOWN", "100"}},
                      {"UP, 50%", {"UP", "50"}},
                      {"stopped # for the night", {"DOWN", "50"}}};
  std::string weight = "100";
  for (const auto& [said, view] : rows) {
    word.say(said);
    INFO("the agent says: " << said);
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (theirs(socket) != view && std::chrono::steady_clock::now() < limit) std::this_thread::sleep_for(20ms);
    const auto [their_status, their_weight] = theirs(socket);
    CHECK(their_status == view.status);
    CHECK(their_weight == view.weight);
    const auto [our_status, our_weight] = ours(probe(agent.endpoint(), Agent{}), weight);
    CHECK(our_status == view.status);
    CHECK(our_weight == view.weight);
    weight = view.weight;
  }
  CHECK(probe(agent.endpoint(), Agent{}).sentence.find("for the night") != std::string::npos);
}

TEST_CASE("an agent that is silent, gone, or says something else") {
  Server silent([](Peer& peer) { peer.hold(); });
  times_out(silent.endpoint(), Agent{});
  Server nonsense([](Peer& peer) { peer.write("HTTP/1.1 200 OK\r\n"); });
  fails(nonsense.endpoint(), Agent{}, "HTTP/1.1");
  fails(local(9), Agent{}, "Connection refused");
}
