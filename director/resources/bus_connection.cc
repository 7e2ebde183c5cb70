#include "director/resources/bus_connection.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace director {
namespace {

constexpr std::chrono::seconds reopen_pause{1};

/// In one turn: who sends without end keeps no timer waiting.
constexpr int most_messages = 64;

constexpr auto bus_socket = "/run/dbus/system_bus_socket";
constexpr auto manager_socket = "/run/systemd/private";

std::string text_of(int error) { return strerrordesc_np(error) == nullptr ? "error" : strerrordesc_np(error); }

}  // namespace

int set_system_bus(sd_bus* bus) {
  const char* given = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
  const bool direct = given == nullptr && geteuid() == 0 && access(bus_socket, F_OK) != 0;
  const std::string address =
      given != nullptr ? given : fmt::format("unix:path={}", direct ? manager_socket : bus_socket);
  if (const int set = sd_bus_set_address(bus, address.c_str()); set < 0) return set;
  return sd_bus_set_bus_client(bus, direct ? 0 : 1);
}

BusConnection::BusConnection(net::Loop& loop, SetAddress set_address, Callbacks callbacks)
    : loop_(loop), set_address_(std::move(set_address)), callbacks_(std::move(callbacks)) {
  timer_ = loop_.at(loop_.now(), [this] { open(); });
}

BusConnection::~BusConnection() {
  loop_.unwatch(watch_);
  loop_.cancel(timer_);
}

void BusConnection::open() {
  timer_ = 0;
  sd_bus* made = nullptr;
  int done = sd_bus_new(&made);
  bus_.reset(made);
  if (done >= 0) done = set_address_(made);
  if (done >= 0) done = sd_bus_start(made);
  problem_.clear();
  if (done < 0) {
    fail(fmt::format("connect to the system bus: {}", text_of(-done)));
    return lose();
  }
  callbacks_.on_open();
  arm();
}

void BusConnection::fail(const std::string& why) {
  if (problem_.empty()) problem_ = why;
}

void BusConnection::process() {
  for (int i = 0; i < most_messages && problem_.empty(); ++i) {
    const int done = sd_bus_process(bus_.get(), nullptr);
    if (done == 0) break;
    if (done < 0) fail(fmt::format("the connection with the system bus was lost: {}", text_of(-done)));
  }
  arm();
}

void BusConnection::lose() {
  loop_.unwatch(std::exchange(watch_, 0));
  loop_.cancel(timer_);
  fd_ = -1;
  bus_.reset();
  timer_ = loop_.after(reopen_pause, [this] { open(); });
  callbacks_.on_lost(problem_);
}

/// What the connection waits for may be another thing after each message.
void BusConnection::arm() {
  if (!bus_) return;
  const int fd = sd_bus_get_fd(bus_.get());
  const int events = sd_bus_get_events(bus_.get());
  std::uint64_t due = UINT64_MAX;
  const int timed = sd_bus_get_timeout(bus_.get(), &due);
  if (fd < 0 || events < 0 || timed < 0) fail("the connection with the system bus was lost");
  loop_.cancel(std::exchange(timer_, 0));
  if (!problem_.empty()) {
    timer_ = loop_.at(loop_.now(), [this] { lose(); });  // not from within the caller
    return;
  }
  if (fd != fd_) {
    loop_.unwatch(std::exchange(watch_, 0));
    auto watched = loop_.watch(fd, static_cast<std::uint32_t>(events), [this](std::uint32_t) { process(); });
    if (!watched) {
      fail(watched.error().message);
      timer_ = loop_.at(loop_.now(), [this] { lose(); });
      return;
    }
    fd_ = fd;
    watch_ = *watched;
  } else {
    std::ignore = loop_.rewatch(watch_, static_cast<std::uint32_t>(events));
  }
  if (due != UINT64_MAX) timer_ = loop_.at(net::Instant(std::chrono::microseconds(due)), [this] { process(); });
}

}  // namespace director
