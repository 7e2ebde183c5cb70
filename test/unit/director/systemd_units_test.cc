#include "director/resources/systemd_units.h"

#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "test/catch.h"

using namespace std::chrono_literals;
using director::SystemdUnits;
using director::UnitState;

namespace {

constexpr auto manager_path = "/org/freedesktop/systemd1";
constexpr auto manager = "org.freedesktop.systemd1.Manager";

/// systemd's side of one connection, in a thread, by the same D-Bus interface.
class FakeManager {
 public:
  struct World {
    std::mutex mutex;
    std::map<std::string, std::string> states{{"a.service", "inactive"}, {"b.service", "active"}};
    std::vector<std::string> calls;  ///< "StartUnit a.service replace"
    std::set<std::string> refused;   ///< units that may not be touched
    std::string result = "done";     ///< of the next job
    bool says_so = true;             ///< sends JobRemoved
    unsigned jobs = 0;
  };

  FakeManager(World& world, int fd) : world_(world), thread_([this, fd] { serve(fd); }) {}
  ~FakeManager() {
    ends_ = true;
    thread_.join();
  }
  FakeManager(const FakeManager&) = delete;
  FakeManager& operator=(const FakeManager&) = delete;

  /// The unit changes by itself.
  void change(const std::string& unit, const std::string& state) {
    const std::lock_guard lock(world_.mutex);
    world_.states[unit] = state;
    changed_.push_back(unit);
  }

 private:
  static FakeManager& self(void* data) { return *static_cast<FakeManager*>(data); }

  static std::string unit_of(sd_bus_message* call) {
    char* name = nullptr;
    if (sd_bus_path_decode(sd_bus_message_get_path(call), "/org/freedesktop/systemd1/unit", &name) <= 0) return "";
    std::string unit = name;
    std::free(name);
    return unit;
  }

  static int handle(sd_bus_message* call, void* data, sd_bus_error*) { return self(data).answer(call); }

  int answer(sd_bus_message* call) {
    const std::lock_guard lock(world_.mutex);
    if (sd_bus_message_is_method_call(call, manager, "Subscribe") > 0) return sd_bus_reply_method_return(call, "");
    if (sd_bus_message_is_method_call(call, "org.freedesktop.DBus.Properties", "Get") > 0) return get(call);
    for (const char* method : {"StartUnit", "StopUnit"}) {
      if (sd_bus_message_is_method_call(call, manager, method) > 0) return run(call, method);
    }
    return 0;
  }

  int get(sd_bus_message* call) {
    const char *interface = nullptr, *property = nullptr;
    sd_bus_message_read(call, "ss", &interface, &property);
    if (property == std::string("Job")) return sd_bus_reply_method_return(call, "v", "(uo)", 0u, "/");
    return sd_bus_reply_method_return(call, "v", "s", world_.states[unit_of(call)].c_str());
  }

  int run(sd_bus_message* call, const std::string& method) {
    const char *unit = nullptr, *mode = nullptr;
    sd_bus_message_read(call, "ss", &unit, &mode);
    const std::string name = unit;
    world_.calls.push_back(method + " " + name + " " + mode);
    if (world_.refused.contains(name))
      return sd_bus_reply_method_errorf(call, "org.freedesktop.DBus.Error.AccessDenied", "Access denied.");
    const auto job = "/org/freedesktop/systemd1/job/" + std::to_string(++world_.jobs);
    const int replied = sd_bus_reply_method_return(call, "o", job.c_str());
    const bool done = world_.result == "done";
    world_.states[name] = !done ? "failed" : method == "StartUnit" ? "active" : "inactive";
    if (world_.says_so) {
      sd_bus_emit_signal(bus_, manager_path, manager, "JobRemoved", "uoss", world_.jobs, job.c_str(), unit,
                         world_.result.c_str());
    }
    return replied;
  }

  void emit_changes() {
    const std::lock_guard lock(world_.mutex);
    for (const auto& unit : std::exchange(changed_, {})) {
      char* path = nullptr;
      sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &path);
      sd_bus_message* signal = nullptr;
      sd_bus_message_new_signal(bus_, &signal, path, "org.freedesktop.DBus.Properties", "PropertiesChanged");
      sd_bus_message_append(signal, "sa{sv}as", "org.freedesktop.systemd1.Unit", 0, 0);
      sd_bus_send(bus_, signal, nullptr);
      sd_bus_message_unref(signal);
      std::free(path);
    }
  }

  void serve(int fd) {
    sd_id128_t id{};
    sd_id128_randomize(&id);
    sd_bus_new(&bus_);
    sd_bus_set_fd(bus_, fd, fd);
    sd_bus_set_server(bus_, 1, id);
    sd_bus_set_anonymous(bus_, 1);
    sd_bus_add_filter(bus_, nullptr, handle, this);
    sd_bus_start(bus_);
    while (!ends_) {
      const int done = sd_bus_process(bus_, nullptr);
      if (done < 0) break;
      emit_changes();
      if (done == 0) sd_bus_wait(bus_, 1000);
    }
    sd_bus_close_unref(bus_);
  }

  World& world_;
  std::vector<std::string> changed_;
  sd_bus* bus_ = nullptr;
  std::atomic<bool> ends_ = false;
  std::thread thread_;
};

/// SystemdUnits and the manager that each of its connections reaches.
struct Pair {
  FakeManager::World world;
  std::unique_ptr<FakeManager> manager;
  bool reachable = true;
  net::Loop loop = net::Loop::create().value();
  std::map<std::string, UnitState> states;
  std::vector<std::string> ends;  ///< "a.service: '' active"
  std::vector<std::string> lost;
  SystemdUnits units{loop,
                     {.on_state = [this](const auto& unit, UnitState state) { states[unit] = state; },
                      .on_job_end =
                          [this](const auto& unit, const auto& error, UnitState state) {
                            states[unit] = state;
                            ends.push_back(unit + ": '" + error + "' " + std::string(to_string(state)));
                          },
                      .on_lost =
                          [this](const auto& why) {
                            states.clear();
                            lost.push_back(why);
                          }},
                     [this](sd_bus* bus) { return connect(bus); }};

  int connect(sd_bus* bus) {
    if (!reachable) return -ECONNREFUSED;
    int fds[2] = {};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0) return -errno;
    manager = std::make_unique<FakeManager>(world, fds[1]);
    sd_bus_set_anonymous(bus, 1);
    return sd_bus_set_fd(bus, fds[0], fds[0]);
  }

  template <class Condition>
  bool until(Condition holds, std::chrono::seconds most = 20s) {
    const auto end = net::monotonic_now() + most;
    while (!holds() && net::monotonic_now() < end) REQUIRE(loop.turn(10ms));
    return holds();
  }
  std::vector<std::string> calls() {
    const std::lock_guard lock(world.mutex);
    return std::exchange(world.calls, {});
  }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("units of systemd: states, starts and stops, and their ends") {
  Pair pair;
  pair.units.watch({"a.service", "b.service"});
  CHECK(pair.units.problem() == "not connected yet");
  REQUIRE(pair.until([&] { return pair.states.size() == 2; }));
  CHECK(pair.units.problem().empty());
  CHECK(pair.states["a.service"] == UnitState::inactive);
  CHECK(pair.states["b.service"] == UnitState::active);

  pair.units.start("a.service");
  CHECK(pair.ends.empty());  // never from within
  REQUIRE(pair.until([&] { return pair.ends.size() == 1; }));
  CHECK(pair.ends.back() == "a.service: '' active");
  pair.units.stop("b.service");
  REQUIRE(pair.until([&] { return pair.ends.size() == 2; }));
  CHECK(pair.ends.back() == "b.service: '' inactive");
  CHECK(pair.calls() == Lines{"StartUnit a.service replace", "StopUnit b.service replace"});

  pair.manager->change("a.service", "failed");
  CHECK(pair.until([&] { return pair.states["a.service"] == UnitState::failed; }, 3s));  // before the next look
}

TEST_CASE("units of systemd: a refusal and a failure say why") {
  Pair pair;
  pair.world.refused = {"a.service"};
  pair.units.watch({"a.service", "b.service"});
  REQUIRE(pair.until([&] { return pair.states.size() == 2; }));
  pair.units.start("a.service");
  REQUIRE(pair.until([&] { return pair.ends.size() == 1; }));
  CHECK(pair.ends.back() == "a.service: 'Access denied; install the rule that `directorctl polkit` writes' inactive");
  {
    const std::lock_guard lock(pair.world.mutex);
    pair.world.result = "failed";
  }
  pair.units.start("b.service");
  REQUIRE(pair.until([&] { return pair.ends.size() == 2; }));
  CHECK(pair.ends.back() ==
        "b.service: 'the job's result is 'failed'; `systemctl status b.service` shows more' failed");
}

TEST_CASE("units of systemd: a later order replaces an earlier one, whose end is not told") {
  Pair pair;
  pair.units.watch({"a.service"});
  REQUIRE(pair.until([&] { return pair.states.size() == 1; }));
  pair.units.start("a.service");
  pair.units.stop("a.service");
  REQUIRE(pair.until([&] { return !pair.ends.empty(); }));
  CHECK_FALSE(pair.until([&] { return pair.ends.size() > 1; }, 1s));
  CHECK(pair.ends == Lines{"a.service: '' inactive"});
}

TEST_CASE("units of systemd: an end that nobody told is found out") {
  Pair pair;
  pair.world.says_so = false;
  pair.units.watch({"a.service"});
  REQUIRE(pair.until([&] { return pair.states.size() == 1; }));
  pair.units.start("a.service");
  REQUIRE(pair.until([&] { return pair.ends.size() == 1; }));
  CHECK(pair.ends.back() == "a.service: '' active");
}

TEST_CASE("units of systemd: a lost connection is told, and made anew each second") {
  Pair pair;
  pair.units.watch({"a.service"});
  REQUIRE(pair.until([&] { return pair.states.size() == 1; }));
  pair.reachable = false;
  pair.manager.reset();
  REQUIRE(pair.until([&] { return !pair.lost.empty(); }));
  CHECK_THAT(pair.units.problem(), Catch::ContainsSubstring("was lost"));
  pair.units.start("a.service");  // nobody hears it
  REQUIRE(pair.until([&] { return pair.lost.size() == 3; }));
  CHECK_THAT(pair.lost.back(), Catch::ContainsSubstring("Connection refused"));
  pair.reachable = true;
  REQUIRE(pair.until([&] { return pair.states.size() == 1; }));
  CHECK(pair.units.problem().empty());
  pair.calls();
  pair.units.start("a.service");
  REQUIRE(pair.until([&] { return pair.ends.size() == 1; }));
  CHECK(pair.calls() == Lines{"StartUnit a.service replace"});
}
