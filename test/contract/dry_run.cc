#include "test/contract/dry_run.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "director/control/http_client.h"
#include "test/contract/answers.h"

namespace contract {
namespace {

using nlohmann::ordered_json;

/// A TCP socket at 127.0.0.1, and its port.
std::pair<net::Fd, std::string> bound_socket() {
  net::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  socklen_t size = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  if (bind(socket.get(), plain, size) != 0 || getsockname(socket.get(), plain, &size) != 0) {
    throw std::runtime_error("no TCP port on 127.0.0.1");
  }
  return {std::move(socket), std::to_string(ntohs(address.sin_port))};
}

ordered_json parsed(const std::string& text) {
  auto value = ordered_json::parse(text, nullptr, false);
  return value.is_discarded() ? ordered_json{{"text", text}} : value;
}

constexpr auto head = R"(cluster: shop
nodes:
  lb1: { address: 127.0.0.1, priority: 150 }
  lb2: { address: 127.0.0.2, priority: 100 }
vrrp:
  front: { router_id: 51, interface: lo, addresses: [192.0.2.10/24] }
services:
)";
constexpr auto dns = R"(  dns:
    listen: udp://127.0.0.5:53
    servers: { ns1: { address: 127.0.0.11 } }
)";
constexpr auto mark = R"(  mark:
    fwmark: 5
    forward: dr
    servers: { m1: { address: 127.0.0.21 } }
)";

std::string web(const std::string& servers, const std::string& scheduler) {
  return fmt::format(R"(  web:
    listen: 127.0.0.5:80
    scheduler: {}
    persistence: 5m
    check: {{ tcp: {{}}, interval: 200ms, timeout: 100ms, rise: 1, fall: 1 }}
    servers: {{ {} }}
    fallback: 127.0.0.9:80
)",
                     scheduler, servers);
}

const std::string drain = "/v1/services/web/servers/web1/drain", weight = "/v1/services/web/servers/web1/weight";

}  // namespace

DryRun::DryRun(std::filesystem::path programs, std::filesystem::path folder)
    : programs_(std::move(programs)), folder_(std::move(folder)) {
  std::tie(listening_, web1_) = bound_socket();
  listen(listening_.get(), 64);
  std::tie(closed_, web2_) = bound_socket();
  const auto web1 = fmt::format("web1: {{ address: '127.0.0.1:{}', weight: 3 }}", web1_);
  const auto web2 = fmt::format("web2: {{ address: '127.0.0.1:{}' }}", web2_);
  write("cluster.yaml", head + web(web1 + ", " + web2, "wrr") + dns + mark);
  std::filesystem::copy(folder_ / "cluster.yaml", folder_ / "good.yaml");
  write("other.yaml", head + web(web1 + ", web3: { address: 127.0.0.13 }", "wlc") + dns + mark);
  write("few.yaml", std::string(head) + dns);
  write("broken.yaml", std::string(head) + "  web:\n    lissen: 127.0.0.5:80\n");

  const auto log = folder_ / "log";
  pid_ = fork();
  if (pid_ == 0) {
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    dup2(out, 1);
    dup2(out, 2);
    const auto program = programs_ / "directord", config = folder_ / "cluster.yaml";
    execl(program.c_str(), program.c_str(), "--dry-run", "--node", "lb1", "--config", config.c_str(), "--runtime-dir",
          folder_.c_str(), nullptr);
    _exit(127);
  }
  wait_until_checked();
}

DryRun::~DryRun() {
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
}

std::string DryRun::log() const {
  std::ifstream in(folder_ / "log");
  return {std::istreambuf_iterator<char>(in), {}};
}

void DryRun::write(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }

std::string DryRun::scrubbed(std::string text) const {
  return scrub(std::move(text), {{folder_.string(), "/folder"}, {":" + web1_, ":81"}, {":" + web2_, ":82"}});
}

void DryRun::wait_until_checked() const {
  for (int attempt = 0; attempt < 2000 && waitpid(pid_, nullptr, WNOHANG) == 0; ++attempt, usleep(10'000)) {
    const auto status = director::http_request(folder_ / "control.sock", "GET", "/v1/status");
    const auto text = status ? status->body : "";
    if (text.contains(R"("up")") && !text.contains(R"("health":"unknown")") && text.contains(R"("departures":[])")) {
      return;
    }
  }
  throw std::runtime_error("directord ended, or did not check its servers in 20 s: " + log());
}

void DryRun::ask(const std::string& method, const std::string& path, const std::string& body) {
  const auto answer = director::http_request(folder_ / "control.sock", method, path, body);
  if (!answer) throw std::runtime_error(fmt::format("{} {}: {}", method, path, answer.error().message));
  const auto asked = body.empty() || body.size() > 200 ? method + " " + path : method + " " + path + " " + body;
  answers_->push_back(
      {{"asked", scrubbed(asked)}, {"status", answer->status}, {"body", parsed(scrubbed(answer->body))}});
}

void DryRun::ctl(const std::string& arguments) {
  const auto to = arguments.starts_with("--socket") ? "" : "--socket " + (folder_ / "control.sock").string() + " ";
  const auto command = fmt::format("{} {}{} 2>&1", (programs_ / "directorctl").string(), to, arguments);
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), [](FILE*) { return 0; });
  std::string said;
  char buffer[4096];
  while (const auto got = fread(buffer, 1, sizeof buffer, pipe.get())) said.append(buffer, got);
  const int status = pclose(pipe.get());
  answers_->push_back({{"asked", scrubbed("directorctl " + arguments)},
                       {"status", WIFEXITED(status) ? WEXITSTATUS(status) : -1},
                       {"body", parsed(scrubbed(said))}});
}

ordered_json DryRun::answers() {
  ordered_json all = ordered_json::array();
  answers_ = &all;
  read_and_steer();
  refuse();
  plan_and_reload();
  run_directorctl();
  answers_ = nullptr;
  return all;
}

void DryRun::read_and_steer() {
  const auto steer = [&](const std::string& path, const std::string& body) {
    ask("PUT", path, body);
    ask("GET", "/v1/status");
    ask("DELETE", path);
  };
  ask("GET", "/v1/status");
  ask("GET", "/v1/vrrp");
  steer(drain, R"({"reason":"kernel update","within_seconds":3600})");
  steer(drain, R"({"reason":"repair","within_seconds":0})");
  steer(weight, R"({"weight":7})");
  ask("PUT", drain);
  ask("PUT", drain);
  ask("DELETE", drain);
  ask("DELETE", drain);
  ask("GET", "/v1/status");
  ask("GET", "/v1/events");
  ask("GET", "/v1/events?since=2");
  ask("GET", "/v1/events?since=100000");
}

void DryRun::refuse() {
  ask("GET", "/");
  ask("GET", "/v1/statuss");
  ask("POST", "/v1/status");
  ask("POST", "/v1/events");
  ask("GET", "/v1/reload");
  ask("GET", drain);
  ask("POST", weight);
  ask("GET", "/v1/events?since=x");
  ask("PUT", "/v1/services/web/servers/web9/drain");
  ask("DELETE", "/v1/services/wob/servers/web1/drain");
  ask("PUT", "/v1/services/web/servers/web9/weight", R"({"weight":1})");
  ask("PUT", drain, "[");
  ask("PUT", drain, R"({"reason":5})");
  ask("PUT", drain, R"({"within_seconds":-1})");
  ask("PUT", weight, R"({"weight":65536})");
  ask("PUT", weight, R"({"weight":"5"})");
  ask("POST", "/v1/vrrp/nobody/failover", "{}");
  ask("POST", "/v1/vrrp/front/failover", R"({"to":5})");
  ask("GET", "/v1/vrrp/front/failover");
  ask("PUT", drain, std::string(4U << 20, ' '));
}

void DryRun::plan_and_reload() {
  const auto file = [&](const char* name) { return fmt::format(R"({{"file":"{}"}})", (folder_ / name).string()); };
  const auto use = [&](const char* name) {
    std::filesystem::copy(folder_ / name, folder_ / "cluster.yaml", std::filesystem::copy_options::overwrite_existing);
  };
  ask("POST", "/v1/plan");
  ask("POST", "/v1/plan", file("other.yaml"));
  ask("POST", "/v1/plan", file("broken.yaml"));
  ask("POST", "/v1/plan", file("missing.yaml"));
  ask("POST", "/v1/plan", R"({"file":"other.yaml"})");
  use("broken.yaml");
  ask("POST", "/v1/reload");
  use("few.yaml");
  ask("POST", "/v1/reload");
  ask("POST", "/v1/reload", R"({"yes":5})");
  ask("POST", "/v1/reload", R"({"yes":true})");
  use("good.yaml");
  ask("POST", "/v1/reload");
  wait_until_checked();
  ask("GET", "/v1/status");
  ask("GET", "/v1/events");
}

void DryRun::run_directorctl() {
  const auto good = (folder_ / "good.yaml").string(), broken = (folder_ / "broken.yaml").string();
  for (const auto* command : {"status", "services", "servers", "vrrp", "events"}) {
    ctl(command);
    ctl(std::string(command) + " --json");
  }
  ctl("drain web/web1 --reason 'kernel update' --within 1h --json");
  ctl("undrain web/web1 --json");
  ctl("disable web/web1 --json");
  ctl("enable web/web1 --json");
  ctl("weight web/web1 7 --json");
  ctl("weight web/web1 file --json");
  ctl("plan --json");
  ctl("plan " + (folder_ / "other.yaml").string() + " --json");
  ctl("reload --json");
  ctl("check " + good + " --json");
  ctl("replace");

  ctl("drain web/web9");
  ctl("weight web/web9 1");
  ctl("failover nobody");
  ctl("plan " + broken);
  ctl("check " + broken);
  ctl("check " + broken + " --json");

  ctl("");
  ctl("drian web/web1");
  ctl("drain");
  ctl("drain web1");
  ctl("drain web/web1 --within 5");
  ctl("weight web/web1 65536");
  ctl("check");
  ctl("doctor " + broken);

  ctl("--socket /nonexistent/control.sock status");
  ctl("--socket /nonexistent/control.sock drain web/web1 --json");
  ctl("--socket /nonexistent/control.sock reload");
  ctl("--version");
}

}  // namespace contract
