// Preloaded into keepalived where the kernel has no ip_vs: every request to the IPVS family succeeds at once. So its
// checker can be measured; what it would have cost to program the kernel is left out, in its favour. Each request is
// counted in the file that IPVS_STUB_COUNT names, a 64-bit number at its start.
#include <fcntl.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>

namespace {

std::atomic<std::uint64_t>& counter() {
  static auto* shared = [] {
    const char* path = std::getenv("IPVS_STUB_COUNT");
    const int fd = open(path != nullptr ? path : "/dev/null", O_RDWR | O_CLOEXEC);
    void* memory = mmap(nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    static std::atomic<std::uint64_t> own;
    return memory == MAP_FAILED ? &own : static_cast<std::atomic<std::uint64_t>*>(memory);
  }();
  return *shared;
}

/// What the caller wants to be told: it waits until its handler for the end of a request has run.
struct Handler {
  nl_recvmsg_msg_cb_t call = nullptr;
  void* argument = nullptr;
};
Handler handlers[NL_CB_TYPE_MAX + 1];

}  // namespace

extern "C" {
int nl_socket_modify_cb(nl_sock*, nl_cb_type type, nl_cb_kind, nl_recvmsg_msg_cb_t call, void* argument) {
  handlers[type] = {.call = call, .argument = argument};
  return 0;
}
int genl_connect(nl_sock*) { return 0; }
int genl_ctrl_resolve(nl_sock*, const char*) { return 0x2a; }
int nl_send_auto(nl_sock*, nl_msg*) {
  ++counter();
  return 1;
}
int nl_recvmsgs_default(nl_sock*) {
  for (const auto type : {NL_CB_FINISH, NL_CB_ACK}) {
    if (handlers[type].call != nullptr) handlers[type].call(nullptr, handlers[type].argument);
  }
  return 0;
}
}
