// Preloaded into user-mode Linux by test/lab/boot/lab. That kernel keeps its processes' vector registers in a buffer of
// the size that processors had when it was written, and writes them back by that size. A host whose processor has more
// state (AMX: 8 KiB of tiles) takes a whole state or none, so that the first process would die with the first system
// call. Here the rest is added: it is in its initial state, since no process in the lab has asked for tiles.

#include <dlfcn.h>
#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include <array>
#include <cstdarg>
#include <cstddef>
#include <cstring>

namespace {

using Ptrace = long (*)(int, pid_t, void*, void*);

std::array<std::byte, 64 * 1024> whole{};  ///< the kernel is one thread

/// How much the host wants; 0 if it cannot be told.
std::size_t size_of_state(Ptrace real, pid_t pid) {
  static std::array<std::byte, 64 * 1024> ignored;
  iovec all{.iov_base = ignored.data(), .iov_len = ignored.size()};
  return real(PTRACE_GETREGSET, pid, reinterpret_cast<void*>(NT_X86_XSTATE), &all) == 0 ? all.iov_len : 0;
}

}  // namespace

extern "C" long ptrace(__ptrace_request request, ...) noexcept {
  static const auto real = reinterpret_cast<Ptrace>(::dlsym(RTLD_NEXT, "ptrace"));
  va_list arguments;
#pragma GCC diagnostic ignored "-Wvarargs"  // the first parameter is an enumeration because glibc declares it so
  va_start(arguments, request);
  const auto pid = va_arg(arguments, pid_t);
  auto* const address = va_arg(arguments, void*);
  auto* const data = va_arg(arguments, void*);
  va_end(arguments);
  if (request != PTRACE_SETREGSET || reinterpret_cast<std::ptrdiff_t>(address) != NT_X86_XSTATE) {
    return real(request, pid, address, data);
  }
  static const std::size_t size = size_of_state(real, pid);
  const auto& part = *static_cast<const iovec*>(data);
  if (size <= part.iov_len || size > whole.size()) return real(request, pid, address, data);
  std::memcpy(whole.data(), part.iov_base, part.iov_len);
  iovec all{.iov_base = whole.data(), .iov_len = size};
  return real(request, pid, address, &all);
}
