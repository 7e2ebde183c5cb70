#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/time.h"

namespace director {

/// The clients of one socket, by their descriptors: who may stay for how long, and who gives way when there are no
/// places or no memory left. Pure: it closes nothing, but says whom to cut off.
class Connections {
 public:
  struct Limits {
    std::size_t places = 64;
    net::Duration request = std::chrono::seconds(10);      ///< from the connection to the end of its request
    net::Duration answer = std::chrono::seconds(30);       ///< to take the answer
    net::Duration grace = std::chrono::milliseconds(200);  ///< before a client that keeps directord waiting gives way
    std::size_t answer_bytes = std::size_t{64} << 20;      ///< of all answers; a single one may exceed it
    std::size_t request_bytes = std::size_t{32} << 20;     ///< of all bodies
  };

  Connections() = default;
  explicit Connections(const Limits& limits) : limits_(limits) {}

  /// A client: its request is awaited.
  void open(int fd, net::Instant now);

  /// So many more bytes of its body came: whether there is room for them. If not, all of it is dropped.
  [[nodiscard]] bool take_body(int fd, std::size_t bytes);

  /// Its request is whole: directord works on it, without a limit here.
  void begin_work(int fd);

  /// It is being answered with `text`, which several may share.
  void begin_answer(int fd, std::shared_ptr<const std::string> text, net::Instant now);

  /// Unknown ones are ignored.
  void close(int fd);

  [[nodiscard]] bool full() const { return clients_.size() >= limits_.places; }

  /// Who is to be cut off now, each named once: whose time is over, and who has left an answer unread for longest while
  /// the answers together take too much memory.
  [[nodiscard]] std::vector<int> overdue(net::Instant now);

  /// Who is to be cut off so that another may come: who has kept directord waiting for longest, first those that have
  /// sent no request. None: all are within their grace, or worked for.
  [[nodiscard]] std::optional<int> give_way(net::Instant now);

  /// When to ask overdue() again.
  [[nodiscard]] std::optional<net::Instant> next_due() const;

 private:
  enum class Phase : std::uint8_t { request, answer, work };
  struct Client {
    Phase phase = Phase::request;
    net::Instant since;
    std::uint64_t order = 0;  ///< of two with one `since`, the earlier has the lower
    std::size_t body = 0;
    std::shared_ptr<const std::string> text = {};
    bool cut = false;
  };
  [[nodiscard]] std::optional<net::Instant> due(const Client& client) const;
  [[nodiscard]] bool answers_exceed_memory() const;
  [[nodiscard]] std::map<int, Client>::iterator longest(Phase phase);

  Limits limits_;
  std::map<int, Client> clients_;
  std::uint64_t last_ = 0;
};

}  // namespace director
