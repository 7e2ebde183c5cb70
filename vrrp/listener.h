#pragma once

#include <string>

#include "net/address.h"
#include "net/error.h"
#include "vrrp/hello.h"
#include "vrrp/status.h"

namespace vrrp {

/// Who is told of what happens to virtual routers. Each may call Routers::status(), and nothing else of it.
class Listener {
 public:
  virtual ~Listener() = default;

  virtual void on_transition(const Transition& transition) = 0;

  /// An operation failed that the protocol goes on without: told once until it fails in another way or has succeeded.
  virtual void on_error(const std::string& router, const net::Error& error) = 0;

  virtual void on_notice(const std::string& router, const Notice& notice) = 0;

  /// Another director of the cluster made itself known, in a signed packet.
  virtual void on_peer_identity(const Identity& other, const net::Address& from) = 0;

  /// After Routers::stop(): all have stopped.
  virtual void on_stopped() = 0;
};

}  // namespace vrrp
