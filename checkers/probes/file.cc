#include "checkers/probes/file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "checkers/probes/agent.h"
#include "checkers/probes/attempt.h"
#include "checkers/text.h"
#include "net/background.h"
#include "net/file.h"

namespace checkers {
namespace {

constexpr std::size_t most = 4095;

std::string doing_of(const File& spec) { return fmt::format("file {}", spec.path); }

Result cannot(const std::string& doing, std::string_view why, int error = 0) {
  return could_not_run(doing, why, error, fmt::format("{}: {}", doing, why));
}

class FileRun final : public ProbeRun {
 public:
  FileRun(std::string doing, std::unique_ptr<net::Background> thread)
      : doing_(std::move(doing)), thread_(std::move(thread)) {}
  ~FileRun() override {
    if (thread_->busy()) attempt_->give_up();
  }
  FileRun(const FileRun&) = delete;
  FileRun& operator=(const FileRun&) = delete;

  void start(const File& spec, ReadFile read, OnDone on_done) {
    on_done_ = std::move(on_done);
    thread_->run(
        [this, spec, read = std::move(read), attempt = attempt_]() -> net::Background::Then {
          return [this, result = read(spec)]() mutable { end(std::move(result)); };
        },
        [this](const net::Error& error) { end(cannot(doing_, error.message, EAGAIN)); });
  }

  [[nodiscard]] std::string doing() const override { return doing_; }
  [[nodiscard]] Result timed_out(net::Duration timeout) const override {
    return cannot(doing_, fmt::format("its file system has not answered for {}", format_duration(timeout)));
  }

 private:
  void end(Result result) { std::exchange(on_done_, nullptr)(std::move(result)); }

  std::string doing_;
  OnDone on_done_;
  std::shared_ptr<Attempt> attempt_ = std::make_shared<Attempt>(doing_);
  std::unique_ptr<net::Background> thread_;
};

}  // namespace

Result read_state_file(const File& spec) {
  const auto doing = doing_of(spec);
  const auto file = net::read_file(spec.path, most);
  if (!file) {
    switch (file.error().kind) {
      case net::FileError::Kind::directory:
      case net::FileError::Kind::not_regular:
        return cannot(doing, "not a regular file");
      case net::FileError::Kind::too_large:
        return cannot(doing, "larger than 4 KiB");
      case net::FileError::Kind::system:
        break;
    }
    const int error = file.error().code;
    return error == ENOENT ? passed(doing, "no such file") : cannot(doing, std::strerror(error), error);
  }
  const auto line = std::string_view(file->text).substr(0, file->text.find('\n'));
  return line.empty() ? passed(doing, "empty") : result_of_advice(doing, line);
}

StartedProbe start_file(net::Loop& loop, const File& spec, ProbeRun::OnDone on_done, ReadFile read) {
  const auto doing = doing_of(spec);
  if (Attempt::too_many_of(doing)) {
    return cannot(doing, fmt::format("{} earlier readings of it have not ended: its file system does not answer",
                                     Attempt::most_of_a_name));
  }
  if (Attempt::too_many()) return cannot(doing, "too many readings and programs of this host do not end", EAGAIN);
  auto thread = net::Background::create(loop);
  if (!thread) return cannot(doing, thread.error().message, thread.error().code);
  auto run = std::make_unique<FileRun>(doing, std::move(*thread));
  run->start(spec, std::move(read), std::move(on_done));
  return run;
}

}  // namespace checkers
