// Requests and answers are matched by sequence number: message i of a chunk carries base + i. The kernel acknowledges
// only where NLM_F_ACK asks for it, which is the chunk's last message, but reports every error; so a chunk costs one
// sendmsg and one recv, and still names each message that failed.
#include "net/netlink.h"

#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace net {

namespace {

/// What one sendmsg takes: small enough that even if every message fails, the answers fit a default receive buffer.
constexpr std::size_t chunk_messages = 128;
constexpr std::size_t chunk_bytes = 64 * 1024;
constexpr int dump_attempts = 10;

constexpr AttributePolicy error_policy = {{NLMSGERR_ATTR_MSG, attribute::string}};

/// NLMSG_ERROR: a negative errno (0 acknowledges), the offending header, perhaps its payload, then the kernel's words.
Result<Error> read_error(const NetlinkMessage& message) {
  const auto error = message.header<nlmsgerr>();
  if (!error) return failure("the kernel's netlink error is truncated");
  Error result{.code = -error->error, .message = {}};
  if (message.flags & NLM_F_ACK_TLVS) {
    const bool capped = message.flags & NLM_F_CAPPED;
    const std::size_t skipped = capped ? sizeof *error : sizeof error->error + error->msg.nlmsg_len;
    const auto attributes = Attributes::parse(message.after(skipped), error_policy);
    if (attributes) result.message = attributes->text(NLMSGERR_ATTR_MSG).value_or("");
  }
  if (result.message.empty()) result.message = std::strerror(result.code);
  return result;
}

/// Calls `each` for every message of a datagram until it returns false. Error: lengths that lie.
template <class Each>
Result<> for_each_message(Bytes datagram, Each each) {
  int rest = static_cast<int>(datagram.size());
  const auto* header = reinterpret_cast<const nlmsghdr*>(datagram.data());
  for (; nlmsg_ok(header, rest); header = nlmsg_next(const_cast<nlmsghdr*>(header), &rest)) {
    const NetlinkMessage message{.type = header->nlmsg_type,
                                 .flags = header->nlmsg_flags,
                                 .sequence = header->nlmsg_seq,
                                 .payload = {static_cast<const std::byte*>(nlmsg_data(header)),
                                             static_cast<std::size_t>(nlmsg_datalen(header))}};
    if (!each(message)) return {};
  }
  if (rest > 0) return failure("the kernel's netlink message has a wrong length");
  return {};
}

void stamp(nl_msg* message, std::uint32_t sequence, unsigned flags) {
  nlmsghdr* const header = nlmsg_hdr(message);
  header->nlmsg_seq = sequence;
  header->nlmsg_flags = static_cast<std::uint16_t>((header->nlmsg_flags & ~NLM_F_ACK) | flags);
}

/// How many of the batch's messages from `first` on one sendmsg takes.
std::size_t chunk_from(const NetlinkBatch& batch, std::size_t first) {
  std::size_t count = 0;
  std::size_t bytes = 0;
  while (first + count < batch.count() && count < chunk_messages) {
    bytes += batch.message(first + count).size();
    if (count > 0 && bytes > chunk_bytes) break;
    ++count;
  }
  return count;
}

void set_buffer(int fd, int forced, int option, int size) {
  if (::setsockopt(fd, SOL_SOCKET, forced, &size, sizeof size) == 0) return;
  ::setsockopt(fd, SOL_SOCKET, option, &size, sizeof size);
}

}  // namespace

void Netlink::Free::operator()(nl_sock* socket) const { nl_socket_free(socket); }

Result<Netlink> Netlink::open(int protocol, Duration timeout) {
  std::unique_ptr<nl_sock, Free> socket(nl_socket_alloc());
  if (!socket) return system_error(ENOMEM, "open a netlink socket");
  errno = 0;
  if (const int code = nl_connect(socket.get(), protocol); code < 0) {
    if (errno) return system_error(errno, "open a netlink socket");
    return failure(std::string("open a netlink socket: ") + nl_geterror(code));
  }
  const int fd = nl_socket_get_fd(socket.get());
  set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, 4 << 20);
  set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, 1 << 20);
  const int on = 1;
  ::setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  ::setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(timeout);
  const auto rest = std::chrono::floor<std::chrono::microseconds>(timeout - seconds);
  const timeval wait{.tv_sec = seconds.count(), .tv_usec = rest.count()};
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) < 0) {
    return system_error(errno, "set a netlink socket's timeout");
  }
  return Netlink(std::move(socket));
}

int Netlink::fd() const { return nl_socket_get_fd(socket_.get()); }

Result<> Netlink::send(const NetlinkBatch& batch, std::size_t first, std::size_t count) {
  std::array<iovec, chunk_messages> parts;
  for (std::size_t i = 0; i < count; ++i) {
    nlmsghdr* const message = nlmsg_hdr(batch.handle(first + i));
    parts[i] = {.iov_base = message, .iov_len = message->nlmsg_len};
  }
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  msghdr header{};
  header.msg_name = &kernel;
  header.msg_namelen = sizeof kernel;
  header.msg_iov = parts.data();
  header.msg_iovlen = count;
  ssize_t sent = -1;
  do {
    sent = ::sendmsg(fd(), &header, 0);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return system_error(errno, "send to the kernel");
  return {};
}

/// One datagram from the kernel; what other processes send is dropped.
Result<Bytes> Netlink::receive_datagram(int flags) {
  while (true) {
    sockaddr_nl sender{};
    socklen_t sender_length = sizeof sender;
    const ssize_t size = ::recvfrom(fd(), buffer_.get(), buffer_size, flags | MSG_TRUNC,
                                    reinterpret_cast<sockaddr*>(&sender), &sender_length);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) {
      if (errno != EAGAIN) return system_error(errno, "receive from the kernel");
      return system_error(flags & MSG_DONTWAIT ? EAGAIN : ETIMEDOUT, "wait for the kernel's answer");
    }
    if (static_cast<std::size_t>(size) > buffer_size) return system_error(EMSGSIZE, "receive from the kernel");
    if (sender.nl_pid == 0) return Bytes(buffer_.get(), static_cast<std::size_t>(size));
  }
}

Result<std::vector<Netlink::RefusedMessage>> Netlink::exchange(NetlinkBatch& batch, const OnMessage& on_answer) {
  std::vector<RefusedMessage> refusals;
  for (std::size_t first = 0; first < batch.count();) {
    const std::size_t count = chunk_from(batch, first);
    if (auto done = exchange_chunk(batch, first, count, on_answer, refusals); !done) {
      return std::unexpected(std::move(done.error()));
    }
    first += count;
  }
  return refusals;
}

Result<> Netlink::exchange_chunk(NetlinkBatch& batch, std::size_t first, std::size_t count, const OnMessage& on_answer,
                                 std::vector<RefusedMessage>& refusals) {
  const std::uint32_t base = sequence_;
  sequence_ += static_cast<std::uint32_t>(count);
  for (std::size_t i = 0; i < count; ++i) {
    stamp(batch.handle(first + i), base + static_cast<std::uint32_t>(i), i + 1 == count ? NLM_F_ACK : 0);
  }
  if (auto sent = send(batch, first, count); !sent) return sent;

  bool acknowledged = false;
  Result<> problem;
  while (!acknowledged) {
    const auto datagram = receive_datagram(0);
    if (!datagram) return std::unexpected(datagram.error());
    const auto read = for_each_message(*datagram, [&](const NetlinkMessage& message) {
      const std::size_t index = message.sequence - base;
      if (index >= count) return true;  // the late answer to a request that timed out
      if (message.type != NLMSG_ERROR) {
        if (on_answer && message.type >= NLMSG_MIN_TYPE) on_answer(message);
        return true;
      }
      auto error = read_error(message);
      if (!error) {
        problem = std::unexpected(std::move(error.error()));
        return false;
      }
      acknowledged = index + 1 == count;
      if (error->code != 0) refusals.push_back({.index = first + index, .error = std::move(*error)});
      return !acknowledged;
    });
    if (!read) return read;
    if (!problem) return problem;
  }
  return {};
}

Result<> Netlink::request(NetlinkBatch& batch, const OnMessage& on_answer) {
  auto refusals = exchange(batch, on_answer);
  if (!refusals) return std::unexpected(std::move(refusals.error()));
  if (!refusals->empty()) return std::unexpected(std::move(refusals->front().error));
  return {};
}

Result<> Netlink::dump(NetlinkBatch& request, const OnMessage& on_message, const std::function<void()>& on_restart) {
  for (int attempt = 0; attempt < dump_attempts; ++attempt) {
    if (attempt > 0) on_restart();
    const auto consistent = dump_once(request, on_message);
    if (!consistent) return std::unexpected(consistent.error());
    if (*consistent) return {};
  }
  return system_error(EINTR, "the kernel's table changed during every dump of it");
}

/// Whether the dump is consistent; if not, what it delivered is worth nothing.
Result<bool> Netlink::dump_once(NetlinkBatch& request, const OnMessage& on_message) {
  const std::uint32_t sequence = sequence_++;
  stamp(request.handle(0), sequence, NLM_F_DUMP);
  if (auto sent = send(request, 0, 1); !sent) return std::unexpected(std::move(sent.error()));

  bool done = false;
  bool interrupted = false;
  Result<> problem;
  while (!done) {
    const auto datagram = receive_datagram(0);
    if (!datagram) return std::unexpected(datagram.error());
    const auto read = for_each_message(*datagram, [&](const NetlinkMessage& message) {
      if (message.sequence != sequence) return true;
      if (message.flags & NLM_F_DUMP_INTR) interrupted = true;
      if (message.type == NLMSG_DONE) {
        // Its payload is the dump's own verdict: 0, or a negative errno.
        const int verdict = message.header<int>().value_or(0);
        if (verdict < 0) problem = system_error(-verdict, "dump the kernel's table");
        done = true;
      } else if (message.type == NLMSG_ERROR) {
        auto error = read_error(message);
        problem = std::unexpected(error ? std::move(*error) : std::move(error.error()));
        done = true;
      } else if (message.type >= NLMSG_MIN_TYPE) {
        on_message(message);
      }
      return !done;
    });
    if (!read) return std::unexpected(read.error());
  }
  if (!problem) return std::unexpected(std::move(problem.error()));
  return !interrupted;
}

Result<> Netlink::join(int group) {
  if (nl_socket_add_membership(socket_.get(), group) == 0) return {};
  return system_error(errno, "join a netlink multicast group");
}

Result<> Netlink::receive(const OnMessage& on_message) {
  while (true) {
    const auto datagram = receive_datagram(MSG_DONTWAIT);
    if (!datagram && datagram.error().code == EAGAIN) return {};
    if (!datagram) return std::unexpected(datagram.error());
    const auto read = for_each_message(*datagram, [&](const NetlinkMessage& message) {
      if (message.type >= NLMSG_MIN_TYPE) on_message(message);
      return true;
    });
    if (!read) return read;
  }
}

Result<std::uint16_t> Netlink::resolve_family(const char* name) {
  const std::string doing = std::string("resolve the netlink family ") + name;
  // Of what libnl returns no errno can be told for sure: the kernel's own is kept as it goes by.
  int refused = 0;
  const auto keep_errno = [](sockaddr_nl*, nlmsgerr* error, void* kept) -> int {
    *static_cast<int*>(kept) = -error->error;
    return NL_STOP;
  };
  nl_socket_modify_err_cb(socket_.get(), NL_CB_CUSTOM, keep_errno, &refused);
  const int id = genl_ctrl_resolve(socket_.get(), name);
  nl_socket_modify_err_cb(socket_.get(), NL_CB_DEFAULT, nullptr, nullptr);
  if (id >= 0) return static_cast<std::uint16_t>(id);
  if (refused != 0) return system_error(refused, doing);
  if (id == -NLE_AGAIN) return system_error(ETIMEDOUT, doing);
  return failure(doing + ": " + nl_geterror(id));
}

}  // namespace net
