#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>

#include "checkers/probe.h"

namespace checkers {

/// What all TLS connections of one spec share: trust, limits, and the sessions to be resumed. A resumed session skips
/// the certificate exchange (half the CPU), so each is used only `resumptions` times before the server has to show its
/// certificate again; its days are counted on every probe. Outlives its conversations.
class TlsContext {
 public:
  static constexpr int resumptions = 20;
  static constexpr std::size_t session_limit = 4096;  ///< of targets; beyond, one is forgotten

  /// `fallback_name` stands in where the spec names no server. An error says what is wrong with the CA file.
  /// With `verify` it reads files, and blocks where their file system hangs; its connections read none.
  static net::Result<TlsContext> prepare(const Tls& spec, const std::string& fallback_name);

  TlsContext(TlsContext&&) noexcept;
  TlsContext& operator=(TlsContext&&) noexcept;
  ~TlsContext();

  /// Over this the plain conversation is held; without one the handshake is all there is.
  /// `mark` tells servers behind one target apart (Key::mark).
  [[nodiscard]] std::unique_ptr<Conversation> wrap(const net::Endpoint& target, std::unique_ptr<Conversation> plain,
                                                   std::uint32_t mark = 0) const;

 private:
  friend class TlsConversation;
  struct Shared;

  explicit TlsContext(std::unique_ptr<Shared> shared);

  std::unique_ptr<Shared> shared_;
};

}  // namespace checkers
