// orders_bench COUNT: on the reference set-up of two directors that share COUNT standing orders, drains and undrains a
// server through the first, and prints how long it takes until the kernel of the second has it, and what the connection
// between the two costs while nothing happens; a line a measure: "1000/to the other kernel, median ms 2.1".

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "director/control/http_client.h"
#include "test/lab/ipvs_table.h"
#include "test/lab/pair.h"

namespace {

using namespace std::chrono_literals;
using lab::Pair;

constexpr int rounds = 100;
constexpr auto rest = 10s;

double milliseconds(net::Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

class Bench {
 public:
  explicit Bench(int standing)
      : standing_(standing),
        pair_({.forward = Pair::Forward::nat, .advertise = 1000ms, .programs = lab::programs_folder()}) {}

  void run() {
    const auto keys = pair_.folder / "peers.keys";
    lab::run(*pair_.lb1.host, {pair_.options.programs / "directorctl", "keygen", keys});
    pair_.write(pair_.cluster_file() + fmt::format("peers: {{ keys: {} }}\n", keys.string()));
    write_standing_orders();
    if (!pair_.start_both()) throw std::runtime_error("the directors do not settle\n" + pair_.evidence());
    wait([&] { return held_there() >= standing_; }, "the standing orders do not arrive");
    measure_orders();
    measure_rest();
  }

 private:
  /// As an earlier program had left them: of servers that the cluster file does not have.
  void write_standing_orders() const {
    nlohmann::json orders = nlohmann::json::object();
    for (int i = 0; i < standing_; ++i) {
      orders[fmt::format("bulk/server{}", i)] = {{"drain", {{"since", 1796000000}, {"reason", "kernel update"}}}};
    }
    const nlohmann::json state{{"version", 2},
                               {"orders", std::move(orders)},
                               {"owned", nlohmann::json::array()},
                               {"departures", nlohmann::json::array()}};
    const auto folder = pair_.runtime_folder(pair_.lb1) / "state";
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "state.json") << state.dump();
  }

  [[nodiscard]] int held_there() const {
    std::ifstream file(pair_.runtime_folder(pair_.lb2) / "state" / "state.json");
    const auto state = nlohmann::json::parse(file, nullptr, false);
    return state.is_discarded() ? -1 : static_cast<int>(state["orders"].size());
  }

  [[nodiscard]] int weight(const Pair::Director& director) const {
    return lab::weight_of(*director.host, pair_.web1.endpoint);
  }

  template <class Condition>
  void wait(Condition condition, const char* failure) {
    if (!lab::wait_until(condition, 60s)) throw std::runtime_error(failure + ("\n" + pair_.evidence()));
  }

  void measure_orders() {
    std::vector<double> there, answered;
    const auto socket = pair_.runtime_folder(pair_.lb1) / "control.sock";
    for (int i = 0; i < rounds; ++i) {
      const bool drains = i % 2 == 0;
      const auto begin = net::monotonic_now();
      net::Instant answer{};
      std::thread asking([&] {
        const auto done = director::http_request(socket, drains ? "PUT" : "DELETE",
                                                 "/v1/services/web/servers/web1/drain", drains ? "{}" : "");
        answer = net::monotonic_now();
        if (!done || done->status != 200) answer = {};
      });
      const auto arrived = lab::wait_until([&] { return weight(pair_.lb2) == (drains ? 0 : pair_.web1.weight); }, 5s);
      const auto end = net::monotonic_now();
      asking.join();
      if (!arrived || answer == net::Instant{})
        throw std::runtime_error("an order does not arrive\n" + pair_.evidence());
      there.push_back(milliseconds(end - begin));
      answered.push_back(milliseconds(answer - begin));
    }
    print("to the other kernel", there);
    print("to the answer", answered);
  }

  void print(const char* what, std::vector<double>& values) const {
    std::ranges::sort(values);
    fmt::print("{}/{},median ms {:.2f}\n", standing_, what, values[values.size() / 2]);
    fmt::print("{}/{},p99 ms {:.2f}\n", standing_, what, values[values.size() * 99 / 100]);
    std::fflush(stdout);
  }

  /// Of the master's process.
  [[nodiscard]] double cpu_ms() const {
    std::string pid, word;
    std::ifstream(pair_.runtime_folder(pair_.lb1) / "directord.pid") >> pid;
    std::ifstream stat(fmt::format("/proc/{}/stat", pid));
    double ticks = 0;
    for (int i = 1; i <= 15 && stat >> word; ++i) {
      if (i >= 14) ticks += std::stod(word);
    }
    return ticks * 1000 / static_cast<double>(sysconf(_SC_CLK_TCK));
  }

  /// Of the connection, both ways, as the kernel counts it.
  [[nodiscard]] double bytes() const {
    const auto shown = lab::run(*pair_.lb1.host, {"ss", "-Htin", "state", "established", "dport", "=", ":8406"}).text;
    double sum = 0;
    for (const std::string name : {"bytes_sent:", "bytes_received:"}) {
      const auto at = shown.find(name);
      if (at == std::string::npos) throw std::runtime_error("no connection: " + shown);
      sum += std::stod(shown.substr(at + name.size()));
    }
    return sum;
  }

  void measure_rest() {
    const double cpu = cpu_ms(), sent = bytes();
    lab::sleep_for(rest);
    const double seconds = std::chrono::duration<double>(rest).count();
    fmt::print("{}/at rest B/s {:.0f}\n", standing_, (bytes() - sent) / seconds);
    fmt::print("{}/processor-of-the-master ms/s {:.2f}\n", standing_, (cpu_ms() - cpu) / seconds);
  }

  int standing_;
  Pair pair_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string count = argc == 2 ? argv[1] : "";
  int standing = -1;
  std::from_chars(count.data(), count.data() + count.size(), standing);
  if (standing < 0) {
    fmt::print(stderr, "usage: orders_bench COUNT\n");
    return 2;
  }
  try {
    Bench(standing).run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "orders_bench {}: {}\n", standing, error.what());
    return 1;
  }
  return 0;
}
