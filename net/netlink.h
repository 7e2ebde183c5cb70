#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "net/error.h"
#include "net/netlink_message.h"
#include "net/time.h"

struct nl_sock;

namespace net {

/// One netlink socket of any protocol, over libnl-3.
///
/// Requests are synchronous: the kernel answers within sendmsg, so waiting for the answer costs one recv. A receive
/// timeout bounds what a broken kernel can do to us. Errors carry the kernel's own words (extended acknowledgement)
/// where it gives any, else strerror's; the caller adds the object and the operation. Not safe to share between
/// threads.
///
/// Use one socket for writes and another for dumps: a second dump on a socket whose dump is still open gets EBUSY.
class Netlink {
 public:
  using OnMessage = std::function<void(const NetlinkMessage&)>;

  /// A message of a batch that the kernel refused, by its place in the batch.
  struct RefusedMessage {
    std::size_t index = 0;
    Error error;
  };

  /// `protocol` is NETLINK_ROUTE, NETLINK_GENERIC, ... Buffers are made as large as the process may.
  static Result<Netlink> open(int protocol, Duration timeout = std::chrono::seconds(5));

  /// Sends all messages of the batch, many a sendmsg, with an acknowledgement of the last only, and waits for it.
  /// Returns the refused ones in order; a refused message does not stop those after it. Answers that are not
  /// acknowledgements go to `on_answer`. Error: the socket failed (ETIMEDOUT, ENOBUFS: answers were lost; dump to see
  /// what was done).
  Result<std::vector<RefusedMessage>> exchange(NetlinkBatch& batch, const OnMessage& on_answer = {});

  /// The same for a batch of which nothing may be refused: the first refusal is the error.
  Result<> request(NetlinkBatch& batch, const OnMessage& on_answer = {});

  /// Sends the batch's only message with NLM_F_DUMP and hands over each message of the answer. If the table changed
  /// meanwhile (NLM_F_DUMP_INTR), `on_restart` is told to forget them and the dump begins anew, ten times at most; then
  /// it is EINTR.
  Result<> dump(NetlinkBatch& request, const OnMessage& on_message, const std::function<void()>& on_restart);

  /// Joins a multicast group (RTNLGRP_*).
  Result<> join(int group);

  /// For a socket that has joined groups and is watched in a Loop: hands over what has arrived, without waiting. Error
  /// ENOBUFS: notifications were lost, so dump again.
  Result<> receive(const OnMessage& on_message);

  [[nodiscard]] int fd() const;

  /// The id of a generic-netlink family by its name; asking loads the kernel's module where it can, which takes its
  /// time: not for the loop's thread once the loop runs. Errors: ENOENT: the kernel has no such family.
  Result<std::uint16_t> resolve_family(const char* name);

 private:
  struct Free {
    void operator()(nl_sock* socket) const;
  };

  explicit Netlink(std::unique_ptr<nl_sock, Free> socket) : socket_(std::move(socket)) {}

  Result<> send(const NetlinkBatch& batch, std::size_t first, std::size_t count);
  Result<Bytes> receive_datagram(int flags);
  Result<> exchange_chunk(NetlinkBatch& batch, std::size_t first, std::size_t count, const OnMessage& on_answer,
                          std::vector<RefusedMessage>& refusals);
  Result<bool> dump_once(NetlinkBatch& request, const OnMessage& on_message);

  std::unique_ptr<nl_sock, Free> socket_;
  std::uint32_t sequence_ = 0;
  static constexpr std::size_t buffer_size = 64 * 1024;
  std::unique_ptr<std::byte[]> buffer_ = std::make_unique_for_overwrite<std::byte[]>(buffer_size);
};

}  // namespace net
