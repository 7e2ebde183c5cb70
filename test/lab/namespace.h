#pragma once

#include <string_view>

#include "net/fd.h"

namespace lab {

/// The lab's own failures (not a failed expectation) are exceptions: the test or the demo ends with their text.
/// Throws std::system_error "<doing>: <strerror(errno)>" where `result` is negative, else returns it.
int must(int result, std::string_view doing);

/// A network namespace, alive while this object or any process in it lives. `lo` is down in a fresh one.
class Namespace {
 public:
  Namespace();

  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  net::Fd fd_;
};

/// The calling thread is in a namespace while this object lives; sockets made meanwhile stay there for good.
class Within {
 public:
  explicit Within(const Namespace& there);
  ~Within();
  Within(const Within&) = delete;
  Within& operator=(const Within&) = delete;

 private:
  net::Fd before_;
};

}  // namespace lab
