// TLS as a conversation around a conversation: ciphertext comes in by receive() and goes out by `out`, through
// OpenSSL's memory BIOs, so the socket's side knows nothing of it, and STARTTLS can begin in the middle of a stream.
#include "checkers/probes/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <map>
#include <utility>

#include "checkers/probes/system_cas.h"
#include "checkers/text.h"

namespace checkers {
namespace {

template <auto release>
struct Release {
  void operator()(auto* object) const { release(object); }
};
using SslContext = std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, Release<SSL_free>>;
using Session = std::unique_ptr<SSL_SESSION, Release<SSL_SESSION_free>>;

/// The reason of OpenSSL's oldest queued error; empties the queue.
std::string take_error() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "unknown error" : reason;
}

int protocol(Tls::Version version) {
  switch (version) {
    case Tls::Version::tls1_0:
      return TLS1_VERSION;
    case Tls::Version::tls1_1:
      return TLS1_1_VERSION;
    case Tls::Version::tls1_2:
      return TLS1_2_VERSION;
    case Tls::Version::tls1_3:
      return TLS1_3_VERSION;
  }
  return TLS1_2_VERSION;
}

/// Whole days until the certificate expires, rounded down; negative once it has.
int days_left(const X509* certificate) {
  int days = 0;
  int seconds = 0;
  ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate));
  return seconds < 0 ? days - 1 : days;
}

}  // namespace

struct TlsContext::Shared {
  /// Whose session it is: several servers may be behind one endpoint.
  using Peer = std::pair<net::Endpoint, std::uint32_t>;

  struct Remembered {
    Session session;
    int uses = 0;
  };

  Tls spec;
  std::string name;
  SslContext context;
  std::map<Peer, Remembered> sessions;

  /// The session to resume for a target; null to begin anew.
  SSL_SESSION* resume(const Peer& peer) {
    const auto found = sessions.find(peer);
    if (found == sessions.end() || !found->second.session) return nullptr;
    if (++found->second.uses > resumptions) {
      sessions.erase(found);
      return nullptr;
    }
    return found->second.session.get();
  }

  void remember(const Peer& peer, SSL_SESSION* session) {
    if (sessions.size() >= session_limit && !sessions.contains(peer)) sessions.erase(sessions.begin());
    sessions[peer].session.reset(session);
  }
};

class TlsConversation final : public Conversation {
 public:
  TlsConversation(TlsContext::Shared& shared, const TlsContext::Shared::Peer& peer, std::unique_ptr<Conversation> plain)
      : shared_(shared), peer_(peer), plain_(std::move(plain)), ssl_(SSL_new(shared.context.get())) {
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_connect_state(ssl_.get());
    SSL_set_app_data(ssl_.get(), this);
    auto* verify = SSL_get0_param(ssl_.get());
    if (shared.name.empty()) {
      X509_VERIFY_PARAM_set1_ip_asc(verify, to_string(peer.first.address).c_str());
    } else {
      SSL_set_tlsext_host_name(ssl_.get(), shared.name.c_str());
      X509_VERIFY_PARAM_set1_host(verify, shared.name.data(), shared.name.size());
    }
    if (auto* session = shared.resume(peer)) SSL_set_session(ssl_.get(), session);
  }

  // Without a word of good-bye OpenSSL would call the session bad and never resume it.
  ~TlsConversation() override { SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN); }
  TlsConversation(const TlsConversation&) = delete;
  TlsConversation& operator=(const TlsConversation&) = delete;

  std::optional<Result> begin(std::string& out) override { return proceed(out); }

  std::optional<Result> receive(std::string_view bytes, std::string& out) override {
    BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
    return proceed(out);
  }

  std::optional<Result> closed() override {
    if (!established_) return failed(doing(), "closed in the middle of the handshake");
    return plain_closed();
  }

  SlowWork take_slow_work() override {
    if (!work_) return nullptr;
    return [this, work = std::exchange(work_, nullptr)]() mutable -> Proceed {
      return [this, proceed_plain = work()](std::string& out) mutable {
        ERR_clear_error();
        auto result = write_plaintext([&](std::string& plaintext) { return proceed_plain(plaintext); });
        if (!result && !work_) result = read_plaintext();
        drain(out);
        return result;
      };
    };
  }

  [[nodiscard]] std::string doing() const override {
    return established_ && plain_ ? plain_->doing() : fmt::format("tls {}", to_string(peer_.first));
  }

  /// OpenSSL's word of a session that could be resumed; 1 takes it over.
  static int on_session(SSL* ssl, SSL_SESSION* session) {
    auto* self = static_cast<TlsConversation*>(SSL_get_app_data(ssl));
    self->shared_.remember(self->peer_, session);
    return 1;
  }

 private:
  std::optional<Result> proceed(std::string& out) {
    ERR_clear_error();
    std::optional<Result> result;
    if (!established_) result = handshake();
    if (!result && established_ && !work_) result = read_plaintext();
    drain(out);
    return result;
  }

  std::optional<Result> handshake() {
    const int done = SSL_do_handshake(ssl_.get());
    if (done == 1) return on_handshake_done();
    if (SSL_get_error(ssl_.get(), done) == SSL_ERROR_WANT_READ) return std::nullopt;
    const auto verdict = SSL_get_verify_result(ssl_.get());
    if (shared_.spec.verify && verdict != X509_V_OK) {
      ERR_clear_error();
      return failed(doing(), fmt::format("certificate: {}", X509_verify_cert_error_string(verdict)));
    }
    return failed(doing(), fmt::format("handshake: {}", take_error()));
  }

  std::optional<Result> on_handshake_done() {
    const auto* certificate = SSL_get0_peer_certificate(ssl_.get());
    if (certificate == nullptr) return failed(doing(), "no certificate");
    const int days = days_left(certificate);
    if (shared_.spec.verify && days < 0) return failed(doing(), "certificate: certificate has expired");
    if (shared_.spec.min_days_left > 0 && days < shared_.spec.min_days_left) {
      return failed(doing(),
                    fmt::format("certificate expires in {} days, fewer than {}", days, shared_.spec.min_days_left));
    }
    established_ = true;
    if (!plain_) return passed(doing(), fmt::format("{}, {} days left", SSL_get_version(ssl_.get()), days));
    return write_plaintext([&](std::string& plaintext) { return plain_->begin(plaintext); });
  }

  /// All that can be read goes to the plain conversation at once: a peer may send each byte in a record of its own.
  std::optional<Result> read_plaintext() {
    std::array<char, 16 * 1024> buffer;
    std::string bytes;
    int count = 0;
    while ((count = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()))) > 0)
      bytes.append(buffer.data(), static_cast<std::size_t>(count));
    const auto end = SSL_get_error(ssl_.get(), count);
    const auto error = end == SSL_ERROR_WANT_READ || end == SSL_ERROR_ZERO_RETURN ? "" : take_error();
    if (!bytes.empty()) {
      if (auto result = write_plaintext([&](std::string& plaintext) { return plain_->receive(bytes, plaintext); }))
        return result;
    }
    if (end == SSL_ERROR_WANT_READ || work_) return std::nullopt;
    if (end == SSL_ERROR_ZERO_RETURN) return plain_closed();
    return failed(doing(), fmt::format("tls: {}", error));
  }

  std::optional<Result> plain_closed() {
    auto result = plain_->closed();
    if (!result) work_ = plain_->take_slow_work();
    return result;
  }

  /// What the plain conversation has to say goes into the tunnel.
  template <class Produce>
  std::optional<Result> write_plaintext(Produce produce) {
    std::string plaintext;
    std::optional<Result> result = produce(plaintext);
    if (!result) work_ = plain_->take_slow_work();
    if (!plaintext.empty()) SSL_write(ssl_.get(), plaintext.data(), static_cast<int>(plaintext.size()));
    return result;
  }

  void drain(std::string& out) const {
    char* bytes = nullptr;
    const auto length = BIO_get_mem_data(out_, &bytes);
    if (length > 0) out.append(bytes, static_cast<std::size_t>(length));
    (void)BIO_reset(out_);
  }

  TlsContext::Shared& shared_;
  TlsContext::Shared::Peer peer_;
  std::unique_ptr<Conversation> plain_;
  SlowWork work_;  ///< the plain conversation's
  Ssl ssl_;
  BIO* in_ = nullptr;   ///< the peer's ciphertext; ssl_ owns both
  BIO* out_ = nullptr;  ///< ours
  bool established_ = false;
};

TlsContext::TlsContext(std::unique_ptr<Shared> shared) : shared_(std::move(shared)) {}
TlsContext::TlsContext(TlsContext&&) noexcept = default;
TlsContext& TlsContext::operator=(TlsContext&&) noexcept = default;
TlsContext::~TlsContext() = default;

net::Result<TlsContext> TlsContext::prepare(const Tls& spec, const std::string& fallback_name) {
  ERR_clear_error();
  SslContext context(SSL_CTX_new(TLS_client_method()));
  if (!context) return net::failure("TLS: " + take_error());
  SSL_CTX_set_min_proto_version(context.get(), protocol(spec.min_version));
  // Debian's default level refuses what the operator has just asked for.
  if (spec.min_version < Tls::Version::tls1_2) SSL_CTX_set_security_level(context.get(), 0);
  if (spec.verify && spec.ca.empty()) {
    const auto store = system_cas();
    if (!store) return std::unexpected(store.error());
    SSL_CTX_set1_cert_store(context.get(), store->get());
  } else if (spec.verify && SSL_CTX_load_verify_file(context.get(), spec.ca.c_str()) != 1) {
    return net::failure(fmt::format("read the CA file {}: {}", spec.ca, take_error()));
  }
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context.get(), spec.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context.get(), TlsConversation::on_session);

  auto shared = std::make_unique<Shared>();
  shared->spec = spec;
  shared->name = spec.name.empty() ? fallback_name : spec.name;
  shared->context = std::move(context);
  return TlsContext(std::move(shared));
}

std::unique_ptr<Conversation> TlsContext::wrap(const net::Endpoint& target, std::unique_ptr<Conversation> plain,
                                               std::uint32_t mark) const {
  return std::make_unique<TlsConversation>(*shared_, Shared::Peer{target, mark}, std::move(plain));
}

}  // namespace checkers
