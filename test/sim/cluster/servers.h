#pragma once

#include <functional>
#include <map>
#include <string>

#include "checkers/probe.h"
#include "net/endpoint.h"
#include "test/sim/cluster/mutation.h"

namespace cluster_sim {

/// How a real server behaves.
enum class Behaviour : std::uint8_t {
  well,     ///< answers after a millisecond
  refuses,  ///< its process has died
  hangs,    ///< takes the probe and says nothing
};
[[nodiscard]] std::string to_string(Behaviour behaviour);

/// The real servers, as probes of any node find them: those that were never mentioned are well.
class Servers {
 public:
  void set(const net::Endpoint& server, Behaviour behaviour, net::Instant now);

  [[nodiscard]] Behaviour of(const net::Endpoint& server) const;
  /// Since when it is so; the beginning of time where it never changed.
  [[nodiscard]] net::Instant since(const net::Endpoint& server) const;

  /// Whether it has refused since then: what was open is not any more.
  [[nodiscard]] bool died_since(const net::Endpoint& server, net::Instant then) const;

  /// How a node makes its probers, whose probes arrive where it `reaches` what they ask. This must outlive them.
  [[nodiscard]] checkers::MakeProber probers(Mutation mutation,
                                             std::function<bool(const net::Endpoint& target)> reaches) const;

 private:
  struct State {
    Behaviour behaviour = Behaviour::well;
    net::Instant since{};
    net::Instant died{};
  };
  std::map<net::Endpoint, State> states_;
};

}  // namespace cluster_sim
