#include "director/engine/log_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "director/engine/log_watch.h"
#include "net/fd.h"
#include "net/virtual_clock.h"
#include "scratch.h"
#include "test/catch.h"

using director::LogWriter;
using namespace std::chrono_literals;

namespace {

struct Pipe {
  net::Fd reads, writes;
  Pipe() {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    reads = net::Fd(ends[0]);
    writes = net::Fd(ends[1]);
  }

  /// Until a writer would have to wait. What is shared stays as it is: nobody else's end becomes non-blocking.
  void fill() const {
    const std::string line(PIPE_BUF - 1, '.');
    const int size = fcntl(writes.get(), F_GETPIPE_SZ);
    for (int filled = 0; filled + PIPE_BUF <= size; filled += PIPE_BUF)
      REQUIRE(write(writes.get(), (line + "\n").data(), PIPE_BUF) == PIPE_BUF);
  }

  /// All that comes until the text ends so.
  [[nodiscard]] std::string read_until(std::string_view end) const {
    std::string text;
    char buffer[4096];
    while (!text.ends_with(end)) {
      const auto got = read(reads.get(), buffer, sizeof buffer);
      REQUIRE(got > 0);
      text.append(buffer, static_cast<std::size_t>(got));
      text.erase(0, std::min(text.find_first_not_of(".\n"), text.size()));
    }
    return text;
  }
};

std::unique_ptr<LogWriter> make(int descriptor, std::size_t limit = LogWriter::default_limit) {
  return LogWriter::create(
             descriptor, [](std::uint64_t dropped, net::WallTime) { return fmt::format("dropped {}\n", dropped); },
             limit)
      .value();
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

TEST_CASE("lines are written whole and in order, to a pipe and to a file") {
  std::string all;
  for (int i = 0; i < 2000; ++i) all += fmt::format("line {}\n", i);
  const Pipe pipe;
  const auto to_pipe = make(pipe.writes.get());
  std::thread reader([&] { CHECK(pipe.read_until("line 1999\n") == all); });
  const director_test::Scratch scratch;
  const auto file = scratch.path / "log";
  const net::Fd opened(open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const auto to_file = make(opened.get());
  for (int i = 0; i < 2000; ++i) {
    to_pipe->write(fmt::format("line {}\n", i));
    to_file->write(fmt::format("line {}\n", i));
  }
  CHECK(to_pipe->flush(10s));
  CHECK(to_file->flush(10s));
  reader.join();
  CHECK(text_of(file) == all);
  CHECK(to_pipe->trouble() == std::nullopt);
  CHECK(to_file->trouble() == std::nullopt);
  const std::string longer(10'000, 'x');
  to_file->write(longer + "\n");
  CHECK(to_file->flush(10s));
  CHECK(text_of(file) == all + longer + "\n");
}

TEST_CASE("a reader that has stopped keeps nobody waiting; what was dropped is counted, and told when it reads again") {
  const Pipe pipe;
  pipe.fill();
  const auto began = net::monotonic_now();
  const auto writer = make(pipe.writes.get(), 1000);
  CHECK(writer->trouble() == std::nullopt);
  writer->write("first\n");
  while (writer->flush(0ms)) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(50ms);  // the thread has taken it; if it has not, one line less is dropped
  for (int i = 0; i < 1000; ++i) writer->write("0123456789012345678\n");
  CHECK(net::monotonic_now() - began < 900ms);
  CHECK_FALSE(writer->flush(1100ms));
  const auto stalled = writer->trouble();
  REQUIRE(stalled);
  CHECK(stalled->why == "nobody reads it");
  CHECK(stalled->dropped == 950);
  CHECK(net::host_clock().wall() - stalled->since >= 1s);

  const auto text = pipe.read_until("dropped 950\n");
  CHECK(text.starts_with("first\n0123456789012345678\n"));
  CHECK(writer->flush(10s));
  CHECK(writer->trouble() == std::nullopt);
  writer->write("again\n");
  CHECK(pipe.read_until("again\n") == "again\n");
  CHECK((fcntl(pipe.writes.get(), F_GETFL) & O_NONBLOCK) == 0);
}

TEST_CASE("a writer whose reader has stopped ends at once") {
  const Pipe pipe;
  pipe.fill();
  const auto began = net::monotonic_now();
  {
    const auto writer = make(pipe.writes.get());
    writer->write("first\n");
    CHECK_FALSE(writer->flush(200ms));
  }
  CHECK(net::monotonic_now() - began < 1s);
}

TEST_CASE("lines that cannot be written are counted, and told when they can") {
  const net::Fd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  const auto writer = make(full.get());
  writer->write("one\n");
  CHECK(writer->flush(10s));
  writer->write("two\n");
  CHECK(writer->flush(10s));
  const auto trouble = writer->trouble();
  REQUIRE(trouble);
  CHECK(trouble->why == "No space left on device");
  CHECK(trouble->dropped == 2);
}

TEST_CASE("a log that stalls is an event and a problem, and its end is an event") {
  net::VirtualClock clock;
  auto loop = net::Loop::create(clock).value();
  director::EventLog log(loop.clock(), {});
  director::LogWatch::Trouble trouble;
  director::LogWatch watch(loop, log, [&] { return trouble; });
  const auto pass = [&](net::Duration time) {
    const auto end = clock.now() + time;
    while (clock.now() < end) {
      clock.advance_to(clock.now() + 100ms);
      REQUIRE(loop.turn(0ms));
    }
  };
  watch.start();
  pass(5s);
  CHECK(log.events().empty());
  CHECK(watch.problem().empty());
  trouble = {.since = clock.wall(), .why = "nobody reads it", .dropped = 1};
  pass(1s);
  trouble->dropped = 7;
  pass(2s);
  REQUIRE(log.events().size() == 1);
  CHECK(log.events().back().kind == director::EventKind::log_stalled);
  CHECK_THAT(watch.problem(), Catch::ContainsSubstring("): nobody reads it; 7 lines were dropped"));
  trouble.reset();
  pass(1s);
  CHECK(log.events().size() == 2);
  CHECK(log.events().back().kind == director::EventKind::log_written);
  CHECK(watch.problem().empty());
}
