// ipvs_floor: the least that a program can do to restore a table. Its standard input is netlink messages laid end to
// end; they are sent 128 at a time, the last of each send is acknowledged, and that is all.
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace {

constexpr std::size_t messages_at_once = 128;

char buffer[64 * 1024];  // holds more than what is sent at once

/// Fills the buffer up from standard input; how much is in it then.
std::size_t fill(std::size_t size) {
  while (size < sizeof buffer) {
    const ssize_t got = ::read(STDIN_FILENO, buffer + size, sizeof buffer - size);
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  return size;
}

/// Asks for an acknowledgement of the last of the messages that are sent next; their size.
std::size_t next_chunk(std::size_t size) {
  std::size_t end = 0;
  nlmsghdr* last = nullptr;
  for (std::size_t count = 0; count < messages_at_once && end + sizeof(nlmsghdr) <= size; ++count) {
    auto* message = reinterpret_cast<nlmsghdr*>(buffer + end);
    if (message->nlmsg_len < sizeof(nlmsghdr) || message->nlmsg_len > size - end) break;
    last = message;
    end += NLMSG_ALIGN(message->nlmsg_len);
  }
  if (last) last->nlmsg_flags |= NLM_F_ACK;
  return end;
}

bool acknowledged(int socket) {
  struct {
    nlmsghdr header;
    nlmsgerr error;
    char rest[4096];
  } answer;
  return ::recv(socket, &answer, sizeof answer, 0) > 0 && answer.header.nlmsg_type == NLMSG_ERROR &&
         answer.error.error == 0;
}

}  // namespace

int main() {
  const int socket = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
  const int size = 1 << 20;
  ::setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  for (std::size_t held = 0; (held = fill(held)) > 0;) {
    const std::size_t chunk = next_chunk(held);
    if (chunk == 0 || ::send(socket, buffer, chunk, 0) < 0 || !acknowledged(socket)) return 1;
    held -= chunk;
    std::memmove(buffer, buffer + chunk, held);
  }
  return 0;
}
