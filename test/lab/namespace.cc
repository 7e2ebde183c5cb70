#include "test/lab/namespace.h"

#include <fcntl.h>
#include <sched.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace lab {

namespace {

net::Fd current() {
  return net::Fd(must(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), "open the namespace"));
}

}  // namespace

int must(int result, std::string_view doing) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), std::string(doing));
  return result;
}

Namespace::Namespace() {
  const net::Fd before = current();
  must(unshare(CLONE_NEWNET), "make a network namespace");
  fd_ = current();
  must(setns(before.get(), CLONE_NEWNET), "return from a network namespace");
}

Within::Within(const Namespace& there) : before_(current()) {
  must(setns(there.fd(), CLONE_NEWNET), "enter a network namespace");
}

Within::~Within() { setns(before_.get(), CLONE_NEWNET); }

}  // namespace lab
