// `ipvsctl watch` on a terminal, which is a pseudo-terminal here: drawn in place, cut to the window, and the terminal
// left as it was.
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>

#include "net/fd.h"
#include "test/catch.h"
#include "test/interop/namespace.h"
#include "test/interop/program.h"

namespace {

constexpr std::string_view hide_cursor = "\x1b[?25l", show_cursor = "\x1b[?25h", clear = "\x1b[2J",
                           home = "\x1b[H\x1b[J";

/// A program on a terminal of its own, and all that it has written there.
class OnTerminal {
 public:
  OnTerminal(std::vector<std::string> words, winsize window) {
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    int terminal = -1;
    child_ = ::forkpty(&terminal, nullptr, nullptr, &window);
    REQUIRE(child_ >= 0);
    if (child_ == 0) {
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    terminal_ = net::Fd(terminal);
  }
  ~OnTerminal() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
  }

  /// Reads until `done(written)`; false if it is not within ten seconds, or when the program has closed its terminal.
  template <class Done>
  bool read_until(Done done) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done(written)) {
      pollfd ready{.fd = terminal_.get(), .events = POLLIN, .revents = 0};
      if (std::chrono::steady_clock::now() > limit || ::poll(&ready, 1, 100) < 0) return false;
      char part[4096];
      if (!ready.revents) continue;
      const ssize_t got = ::read(terminal_.get(), part, sizeof part);
      if (got <= 0) return false;  // EIO: closed
      written.append(part, static_cast<std::size_t>(got));
    }
    return true;
  }

  /// What a user's key does to the program in the terminal's foreground.
  void press(char key) { REQUIRE(::write(terminal_.get(), &key, 1) == 1); }

  int wait() {
    read_until([](const std::string&) { return false; });  // to its end
    int status = 0;
    REQUIRE(::waitpid(child_, &status, 0) == child_);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::string written;

 private:
  pid_t child_ = -1;
  net::Fd terminal_;
};

void ipvsctl(std::vector<std::string> words) {
  words.insert(words.begin(), IPVSCTL);
  REQUIRE(run_program(std::move(words)).status == 0);
}

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += what.size()) ++found;
  return found;
}

std::string_view last_frame(std::string_view text) { return text.substr(text.rfind(home) + home.size()); }

}  // namespace

TEST_CASE("watch draws the live table in place and gives the terminal back when it is interrupted") {
  enter_fresh_namespace();
  ipvsctl({"-A", "-t", "192.0.2.1:80", "-s", "wrr"});
  ipvsctl({"-a", "-t", "192.0.2.1:80", "-r", "10.0.0.7:80", "-w", "3"});
  OnTerminal watch({IPVSCTL, "watch", "-n", "--interval", "0.1"},
                   {.ws_row = 24, .ws_col = 60, .ws_xpixel = 0, .ws_ypixel = 0});
  REQUIRE(watch.read_until([](const std::string& text) { return count(text, "10.0.0.7:80") >= 2; }));
  CHECK(watch.written.starts_with(std::string(hide_cursor) + std::string(clear) + std::string(home)));
  CHECK(count(watch.written, clear) == 1);

  ipvsctl({"-e", "-t", "192.0.2.1:80", "-r", "10.0.0.7:80", "-w", "77"});
  REQUIRE(watch.read_until([](const std::string& text) { return last_frame(text).find(" 77 ") != text.npos; }));
  const std::string_view frame = last_frame(watch.written);
  CHECK(frame.find("tcp 192.0.2.1:80 wrr") != frame.npos);
  for (std::size_t at = 0, end = 0; (end = frame.find("\r\n", at)) != frame.npos; at = end + 2) CHECK(end - at <= 60);

  watch.press('\x03');  // Ctrl-C
  CHECK(watch.wait() == 0);
  // The terminal itself echoes the key, or has thrown that away with what was waiting when it came.
  const bool echoed = watch.written.ends_with("\r\n^C" + std::string(show_cursor));
  CHECK((echoed || watch.written.ends_with("\r\n" + std::string(show_cursor))));
}

TEST_CASE("watch says how much does not fit into the terminal") {
  enter_fresh_namespace();
  for (int i = 1; i <= 9; ++i) ipvsctl({"-A", "-t", "192.0.2." + std::to_string(i) + ":80"});
  OnTerminal watch({IPVSCTL, "watch", "-n", "--count", "1"},
                   {.ws_row = 6, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0});
  CHECK(watch.wait() == 0);
  const std::string_view frame = last_frame(watch.written);
  CHECK(count(frame, "\r\n") == 5);
  CHECK(frame.find("... and 6 more lines\r\n") != frame.npos);
}
