// failover_bench WHO FORWARD MILLISECONDS: on the reference set-up of two directors, runs directord ("ours") or
// keepalived with adverts of that interval, lets one fault after the other happen to the first, and prints for each a
// line a measure: "nat/100ms/crash/outage ms 3".

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <deque>
#include <fstream>
#include <stdexcept>

#include "director/control/http_client.h"
#include "test/lab/client.h"
#include "test/lab/pair.h"

namespace {

using namespace std::chrono_literals;
using lab::Pair;

constexpr auto download_length = 9s;
constexpr auto sync_time = 4s;  ///< in which the kernel has told the other director of an open connection
constexpr int downloads = 5;

/// Two directors of one kind.
class Directors {
 public:
  Directors(Pair& pair, bool ours) : pair_(pair), ours_(ours) {}

  void start(Pair::Director& director) {
    if (ours_) return pair_.start(director);
    write_keepalived(director, director.priority);
    const auto base = base_of(director);
    director.process.emplace(
        *director.host,
        std::vector<std::string>{"keepalived", "--dont-fork", "--log-console", "-f", base + ".conf", "-p",
                                 base + ".pid", "-r", base + ".vrrp.pid", "-c", base + ".checkers.pid"},
        base + ".log");
  }

  void hand_over(Pair::Director& director) {
    if (ours_) {
      // What directorctl asks, without a program's start: it would take the lab's only processor from the requests
      // for 10 ms, just as the role moves. keepalived is told by a signal.
      const auto socket = pair_.runtime_folder(director) / "control.sock";
      const auto answer = director::http_request(socket, "POST", "/v1/vrrp/front/failover", "{}");
      if (!answer || answer->status != 200) throw std::runtime_error("the handover was refused");
      return;
    }
    write_keepalived(director, 50);  // it has no such command: a lower priority, read anew
    director.process->signal(SIGHUP);
  }

 private:
  [[nodiscard]] std::string base_of(const Pair::Director& director) const {
    return (pair_.folder / ("keepalived-" + director.host->name)).string();
  }

  void write_keepalived(const Pair::Director& director, int priority) const {
    const double advert = static_cast<double>(pair_.options.advertise.count()) / 1000;
    std::ofstream file(base_of(director) + ".conf");
    file << "global_defs { vrrp_version 3\n lvs_sync_daemon enp0s8 front id 1\n }\n"
         << "vrrp_sync_group all { group { front\n back\n } }\n";
    const auto instance = [&](const char* name, int id, const char* interface, const char* address) {
      file << fmt::format(
          "vrrp_instance {} {{ state BACKUP\n interface {}\n virtual_router_id {}\n priority {}\n advert_int {}\n"
          " preempt_delay 1\n virtual_ipaddress {{ {} }}\n }}\n",
          name, interface, id, priority, advert, address);
    };
    instance("front", 51, "enp0s3", "192.168.56.10/24");
    instance("back", 52, "enp0s8", "192.168.200.250/24");
    file << fmt::format("virtual_server 192.168.56.10 80 {{ delay_loop 1\n lb_algo wrr\n lb_kind {}\n protocol TCP\n",
                        pair_.options.forward == Pair::Forward::nat ? "NAT" : "DR");
    for (const auto& web : pair_.webs) {
      const auto address = web.endpoint.substr(0, web.endpoint.find(':'));
      file << fmt::format(" real_server {} 80 {{ weight {}\n TCP_CHECK {{ connect_timeout 1\n }} }}\n", address,
                          web.weight);
    }
    file << "}\n";
  }

  Pair& pair_;
  bool ours_;
};

class Bench {
 public:
  Bench(const Pair::Options& options, bool ours) : pair_(options), directors_(pair_, ours) {
    prefix_ = fmt::format("{}/{}ms", lab::to_string(options.forward), options.advertise.count());
  }

  int run() {
    for (auto& director : pair_.directors) directors_.start(director);
    if (!settled(pair_.lb1, pair_.lb2)) return fail("lb1 did not become master");
    prober_.emplace(*pair_.client, pair_.service);
    if (!prober_->settle(500ms, 15s)) return fail("requests are not answered");
    const auto away = [&](const char* name, auto happen, auto repair) {
      measure(name, happen, [&] { return pair_.holds_both(pair_.lb2); });
      repair();
      return settled(pair_.lb1, pair_.lb2);
    };
    const auto restart = [&] {
      if (pair_.lb1.process) pair_.lb1.process->wait(10s);
      measure("return", [&] { directors_.start(pair_.lb1); }, [&] { return pair_.holds_both(pair_.lb1); });
    };
    if (!away("stop", [&] { pair_.lb1.process->signal(SIGTERM); }, restart)) return fail("no return after a stop");
    if (!away(
            "link", [&] { pair_.topology.cut(*pair_.lb1.host, "front"); },
            [&] { pair_.topology.restore(*pair_.lb1.host, "front"); }))
      return fail("no return after a lost link");
    // The host dies: its ports are silent, and the other's carrier stays.
    const auto plug = [&](bool in) {
      for (const char* network : {"front", "back"}) {
        if (in) {
          pair_.topology.plug_in(*pair_.lb1.host, network);
        } else {
          pair_.topology.unplug(*pair_.lb1.host, network);
        }
      }
    };
    if (!away(
            "host", [&] { plug(false); },
            [&] {
              pair_.lb1.process->signal_group(SIGTERM);
              pair_.lb1.process->wait(10s);
              plug(true);
              directors_.start(pair_.lb1);
            }))
      return fail("no return after a host's death");
    if (!away(
            "hang", [&] { pair_.lb1.process->signal_group(SIGSTOP); },
            [&] { pair_.lb1.process->signal_group(SIGCONT); }))
      return fail("no return after a hang");
    if (!away(
            "planned", [&] { directors_.hand_over(pair_.lb1); },
            [&] {
              pair_.lb1.process->signal_group(SIGTERM);
              pair_.lb1.process->wait(10s);
              directors_.start(pair_.lb1);
            }))
      return fail("no return after a handover");
    measure("crash", [&] { pair_.lb1.process->signal_group(SIGKILL); }, [&] { return pair_.holds_both(pair_.lb2); });
    return 0;
  }

 private:
  bool settled(const Pair::Director& master, const Pair::Director& other) {
    return lab::wait_until([&] { return pair_.holds_both(master) && !pair_.holds_any(other); }, 30s).has_value();
  }

  int fail(const char* what) {
    fmt::print(stderr, "failover_bench {}: {}\n{}", prefix_, what, pair_.evidence());
    return 1;
  }

  /// What the client sees of one event, and what becomes of connections that were open before.
  template <class Happen, class Condition>
  void measure(const char* name, Happen happen, Condition moved) {
    std::deque<lab::Download> open;
    for (int i = 0; i < downloads; ++i) open.emplace_back(*pair_.client, pair_.service, download_length);
    lab::sleep_for(sync_time);
    const auto begin = net::monotonic_now();
    happen();
    lab::wait_until(moved, 15s);
    lab::sleep_for(500ms);
    const bool settled = prober_->settle(300ms, 10s);
    const auto seen = prober_->outage(begin, net::monotonic_now() - lab::Prober::limit);
    lab::wait_until([&] { return std::ranges::all_of(open, &lab::Download::ended); }, download_length + 5s);
    const auto survived = std::ranges::count_if(open, &lab::Download::complete);
    const auto ms = std::chrono::duration<double, std::milli>(seen.longest).count();
    fmt::print("{}/{}/outage ms {:.1f}\n", prefix_, name, settled ? ms : 1e6);
    fmt::print("{}/{}/lost requests {}\n", prefix_, name, seen.failed);
    fmt::print("{}/{}/survived % {}\n", prefix_, name, survived * 100 / downloads);
    std::fflush(stdout);
  }

  Pair pair_;
  Directors directors_;
  std::string prefix_;
  std::optional<lab::Prober> prober_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  int milliseconds = 0;
  if (words.size() == 3) std::from_chars(words[2].data(), words[2].data() + words[2].size(), milliseconds);
  if (milliseconds < 10 || (words[0] != "ours" && words[0] != "keepalived") ||
      (words[1] != "nat" && words[1] != "dr")) {
    fmt::print(stderr, "usage: failover_bench ours|keepalived nat|dr MILLISECONDS\n");
    return 2;
  }
  return Bench({.forward = words[1] == "nat" ? Pair::Forward::nat : Pair::Forward::dr,
                .advertise = std::chrono::milliseconds(milliseconds),
                .programs = lab::programs_folder()},
               words[0] == "ours")
      .run();
}
