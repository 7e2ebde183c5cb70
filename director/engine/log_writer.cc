#include "director/engine/log_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "net/fd.h"
#include "net/file.h"
#include "net/own_process.h"

namespace director {
namespace {

/// As many whole lines as a pipe takes in one piece, so that those of others who write to it do not come between; at
/// least one line.
std::string_view first_piece(std::string_view text) {
  const auto last = text.substr(0, PIPE_BUF).rfind('\n');
  return text.substr(0, (last == std::string_view::npos ? text.find('\n') : last) + 1);
}

std::uint64_t lines_of(std::string_view text) { return static_cast<std::uint64_t>(std::ranges::count(text, '\n')); }

}  // namespace

struct LogWriter::Shared {
  Shared(net::Fd to, Notice told, std::size_t most) : descriptor(std::move(to)), notice(std::move(told)), limit(most) {
    struct stat about{};
    regular = fstat(descriptor.get(), &about) == 0 && S_ISREG(about.st_mode);
  }

  void run();
  void write_out(std::unique_lock<std::mutex>& lock);
  int write_piece(std::string_view piece) const;
  void drop(std::uint64_t lines, net::WallTime at) {
    if (dropped == 0) dropped_since = at;
    dropped += lines;
  }

  const net::Fd descriptor;
  const Notice notice;
  const std::size_t limit;
  bool regular = false;

  mutable std::mutex mutex;  ///< of all that follows
  std::condition_variable more, written;
  bool ended = false;
  std::string queue;
  bool writing = false;              ///< what was taken from the queue
  net::Instant piece_began{};        ///< the write under way
  net::WallTime piece_began_wall{};  ///< the same
  std::uint64_t dropped = 0;         ///< and not told yet
  std::uint64_t being_told = 0;
  net::WallTime dropped_since{};
  std::string error;  ///< of the last write
  net::WallTime failing_since{};
};

void LogWriter::Shared::run() {
  std::unique_lock lock(mutex);
  for (;;) {
    more.wait(lock, [this] { return ended || !queue.empty(); });
    if (queue.empty()) return;
    write_out(lock);
  }
}

void LogWriter::Shared::write_out(std::unique_lock<std::mutex>& lock) {
  const auto text = [&] {
    auto taken = std::exchange(queue, {});
    being_told = std::exchange(dropped, 0);
    if (being_told > 0) taken += notice(being_told, dropped_since);
    return taken;
  }();
  const auto told_since = dropped_since;
  writing = true;
  int failed = 0;
  std::string_view left = text;
  while (!left.empty() && failed == 0) {
    const auto piece = regular ? left : first_piece(left);
    piece_began = net::host_clock().now();
    piece_began_wall = net::host_clock().wall();
    lock.unlock();
    failed = write_piece(piece);
    lock.lock();
    if (failed == 0) left.remove_prefix(piece.size());
  }
  writing = false;
  if (failed == 0) {
    error.clear();
  } else {
    drop(lines_of(left), piece_began_wall);
    if (being_told > 0) dropped += being_told - 1;  // the notice itself is among the lines
    if (being_told > 0) dropped_since = told_since;
    if (error.empty()) failing_since = piece_began_wall;
    error = std::strerror(failed);
  }
  being_told = 0;
  written.notify_all();
}

/// A thread that waits for a frozen file system could not be ended; see net::in_own_process.
int LogWriter::Shared::write_piece(std::string_view piece) const {
  const int to = descriptor.get();
  if (!regular) return net::write_all(to, piece);
  const int failed = net::in_own_process(to, [&] { return net::write_all(to, piece); });
  return failed == EAGAIN || failed == ENOMEM ? net::write_all(to, piece) : failed;  // no process to be had
}

net::Result<std::unique_ptr<LogWriter>> LogWriter::create(int descriptor, Notice notice, std::size_t limit) {
  net::Fd own(fcntl(descriptor, F_DUPFD_CLOEXEC, 3));
  if (!own) return net::system_error(errno, "duplicate the log's descriptor");
  auto shared = std::make_shared<Shared>(std::move(own), std::move(notice), limit);
  // The loop's signals are not for this thread.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::error_code failed;
  try {
    std::thread([shared] { shared->run(); }).detach();
  } catch (const std::system_error& error) {
    failed = error.code();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed) return net::system_error(failed.value(), "start the log's thread");
  return std::unique_ptr<LogWriter>(new LogWriter(std::move(shared)));
}

LogWriter::~LogWriter() {
  const std::lock_guard lock(shared_->mutex);
  shared_->ended = true;
  shared_->more.notify_all();
}

void LogWriter::write(std::string_view line) {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->queue.size() + line.size() > shared_->limit) return shared_->drop(1, net::host_clock().wall());
  shared_->queue += line;
  shared_->more.notify_all();
}

bool LogWriter::flush(net::Duration limit) {
  std::unique_lock lock(shared_->mutex);
  return shared_->written.wait_for(lock, limit, [this] { return shared_->queue.empty() && !shared_->writing; });
}

std::optional<LogWriter::Trouble> LogWriter::trouble() const {
  const std::lock_guard lock(shared_->mutex);
  const auto dropped = shared_->dropped + shared_->being_told;
  if (!shared_->error.empty())
    return Trouble{.since = shared_->failing_since, .why = shared_->error, .dropped = dropped};
  if (shared_->writing && net::host_clock().now() - shared_->piece_began >= patience)
    return Trouble{.since = shared_->piece_began_wall,
                   .why = shared_->regular ? "the disk does not answer" : "nobody reads it",
                   .dropped = dropped};
  if (dropped == 0) return std::nullopt;
  return Trouble{.since = shared_->dropped_since, .why = "it is read too slowly", .dropped = dropped};
}

}  // namespace director
