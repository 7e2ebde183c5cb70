#include "director/orders/channel.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

#include "net/check.h"

namespace director {
namespace {

constexpr std::size_t length_bytes = 4;
constexpr std::size_t read_bytes = std::size_t{16} << 10;  // of a TLS record
constexpr std::size_t key_bytes = 32;
constexpr std::string_view label = "directord orders 1";
constexpr std::string_view identity_prefix = "directord-orders-1:";

using DerivedKey = std::array<unsigned char, key_bytes>;

struct Psk {
  std::uint8_t id = 0;
  DerivedKey key{};
};

std::string last_error() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  const auto* reason = ERR_reason_error_string(code);
  return reason == nullptr ? "unknown error" : reason;
}

/// HKDF (RFC 5869) with SHA-256 and the label as its information.
bool derive(const std::string& secret, DerivedKey& key) {
  EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  EVP_KDF_CTX* context = kdf == nullptr ? nullptr : EVP_KDF_CTX_new(kdf);
  EVP_KDF_free(kdf);
  if (context == nullptr) return false;
  std::string digest = "SHA256", input = secret, info(label);
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, input.data(), input.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      OSSL_PARAM_construct_end(),
  };
  const bool derived = EVP_KDF_derive(context, key.data(), key.size(), params) == 1;
  EVP_KDF_CTX_free(context);
  OPENSSL_cleanse(input.data(), input.size());
  return derived;
}

/// The session that a pre-shared key stands for; null: no memory.
SSL_SESSION* session_of(SSL* ssl, const Psk& psk) {
  constexpr std::array<unsigned char, 2> aes_128_gcm_sha256 = {0x13, 0x01};
  SSL_SESSION* session = SSL_SESSION_new();
  const auto* cipher = SSL_CIPHER_find(ssl, aes_128_gcm_sha256.data());
  if (session != nullptr && cipher != nullptr &&
      SSL_SESSION_set1_master_key(session, psk.key.data(), psk.key.size()) == 1 &&
      SSL_SESSION_set_cipher(session, cipher) == 1 && SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1) {
    return session;
  }
  SSL_SESSION_free(session);
  return nullptr;
}

}  // namespace

struct ChannelKeys::Shared {
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context{nullptr, SSL_CTX_free};
  std::vector<Psk> keys;
  std::string identity;  ///< of the first

  ~Shared() {
    for (auto& each : keys) OPENSSL_cleanse(each.key.data(), each.key.size());
  }

  static const Shared& of(SSL* ssl) { return *static_cast<const Shared*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl))); }

  static int use_key(SSL* ssl, const EVP_MD* digest, const unsigned char** id, std::size_t* length,
                     SSL_SESSION** session) {
    *session = nullptr;
    const auto& psk = of(ssl).keys.front();
    if (digest != nullptr && EVP_MD_get_type(digest) != NID_sha256) return 0;
    const auto& identity = of(ssl).identity;
    *id = reinterpret_cast<const unsigned char*>(identity.data());
    *length = identity.size();
    *session = session_of(ssl, psk);
    return *session == nullptr ? 0 : 1;
  }

  static int find_key(SSL* ssl, const unsigned char* id, std::size_t length, SSL_SESSION** session) {
    *session = nullptr;  // with 1: another way is tried, and there is none
    const std::string_view identity(reinterpret_cast<const char*>(id), length);
    if (!identity.starts_with(identity_prefix)) return 1;
    const std::string digits(identity.substr(identity_prefix.size()));
    unsigned number = 0;
    const auto* const end = digits.data() + digits.size();
    const auto [stopped, error] = std::from_chars(digits.data(), end, number);
    if (error != std::errc{} || stopped != end) return 1;
    const auto& keys = of(ssl).keys;
    const auto found = std::ranges::find(keys, number, &Psk::id);
    if (found == keys.end()) return 1;
    *session = session_of(ssl, *found);
    return *session == nullptr ? 0 : 1;
  }
};

ChannelKeys::ChannelKeys(std::unique_ptr<Shared> shared) : shared_(std::move(shared)) {}
ChannelKeys::ChannelKeys(ChannelKeys&&) noexcept = default;
ChannelKeys& ChannelKeys::operator=(ChannelKeys&&) noexcept = default;
ChannelKeys::~ChannelKeys() = default;

net::Result<ChannelKeys> ChannelKeys::create(const std::vector<ChannelKey>& keys) {
  net::check(!keys.empty(), "channels have a key");
  auto shared = std::make_unique<Shared>();
  shared->identity = fmt::format("{}{}", identity_prefix, keys.front().id);
  for (const auto& [id, secret] : keys) {
    auto& psk = shared->keys.emplace_back(Psk{.id = id});
    if (!derive(secret, psk.key)) return net::failure("derive a key for the other directors: " + last_error());
  }
  shared->context.reset(SSL_CTX_new(TLS_method()));
  SSL_CTX* context = shared->context.get();
  if (context == nullptr || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1 || SSL_CTX_set_num_tickets(context, 0) != 1) {
    return net::failure("prepare TLS for the other directors: " + last_error());
  }
  SSL_CTX_set_app_data(context, shared.get());
  SSL_CTX_set_psk_use_session_callback(context, Shared::use_key);
  SSL_CTX_set_psk_find_session_callback(context, Shared::find_key);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return ChannelKeys(std::move(shared));
}

Channel::Channel(net::Loop& loop, net::Fd socket, Callbacks callbacks)
    : loop_(loop), socket_(std::move(socket)), callbacks_(std::move(callbacks)), ssl_(nullptr, SSL_free) {}

Channel::~Channel() {
  loop_.unwatch(watch_);
  loop_.cancel(again_);
}

net::Result<std::unique_ptr<Channel>> Channel::create(net::Loop& loop, net::Fd socket, Side side,
                                                      const ChannelKeys& keys, Callbacks callbacks) {
  std::unique_ptr<Channel> channel(new Channel(loop, std::move(socket), std::move(callbacks)));
  channel->ssl_.reset(SSL_new(keys.shared_->context.get()));
  SSL* ssl = channel->ssl_.get();
  if (ssl == nullptr || SSL_set_fd(ssl, channel->socket_.get()) != 1)
    return net::failure("prepare TLS: " + last_error());
  if (side == Side::begins) {
    SSL_set_connect_state(ssl);
    SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);  // no certificate will do in place of a key
  } else {
    SSL_set_accept_state(ssl);
  }
  // A connection that is under way is ready when it can be written to.
  auto watch = loop.watch(channel->socket_.get(), side == Side::begins ? EPOLLOUT : EPOLLIN,
                          [raw = channel.get()](std::uint32_t) { raw->step(); });
  if (!watch) return std::unexpected(watch.error());
  channel->watch_ = *watch;
  return channel;
}

void Channel::send(const std::string& text) {
  net::check(is_ready() && text.size() <= text_max, "a text is sent when the last one has gone");
  const auto size = static_cast<std::uint32_t>(text.size());
  for (int shift = 24; shift >= 0; shift -= 8) out_ += static_cast<char>(size >> shift);
  out_ += text;
  written_ = 0;
  if (write()) wait();
}

void Channel::step() {
  wants_write_ = false;
  if (!open_ && !handshake()) return;
  if (open_ && !(write() && read())) return;
  if (is_ready()) callbacks_.on_sent();
  if (!closed_) wait();
}

/// False, as of all steps: it is closed.
bool Channel::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result != 1) return check(result, "handshake");
  if (SSL_session_reused(ssl_.get()) != 1) {
    close("handshake: without one of the keys");
    return false;
  }
  open_ = true;
  callbacks_.on_open();
  return !closed_;
}

bool Channel::write() {
  while (written_ < out_.size()) {
    ERR_clear_error();
    const int result = SSL_write(ssl_.get(), out_.data() + written_, static_cast<int>(out_.size() - written_));
    if (result <= 0) return check(result, "send");
    written_ += static_cast<std::size_t>(result);
  }
  out_.clear();
  return true;
}

/// One record a turn: whoever sends much shares the loop with all else.
bool Channel::read() {
  ERR_clear_error();
  const auto had = in_.size();
  in_.resize(had + read_bytes);
  const int result = SSL_read(ssl_.get(), in_.data() + had, static_cast<int>(read_bytes));
  in_.resize(had + static_cast<std::size_t>(std::max(result, 0)));
  if (result <= 0) return check(result, "receive");
  if (!take_texts()) return false;
  if (SSL_has_pending(ssl_.get()) == 1 && again_ == 0) {
    again_ = loop_.after(net::Duration::zero(), [this] {
      again_ = 0;
      step();
    });
  }
  return true;
}

bool Channel::take_texts() {
  std::size_t taken = 0;
  while (in_.size() - taken >= length_bytes) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < length_bytes; ++i) size = size << 8 | static_cast<unsigned char>(in_[taken + i]);
    if (size > text_max) {
      close(fmt::format("receive: a text of {} bytes, at most {} are allowed", size, text_max));
      return false;
    }
    if (in_.size() - taken - length_bytes < size) break;
    auto text = in_.substr(taken + length_bytes, size);
    taken += length_bytes + size;
    callbacks_.on_text(std::move(text));
    if (closed_) return false;
  }
  in_.erase(0, taken);
  return true;
}

bool Channel::check(int result, const char* doing) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return true;
    case SSL_ERROR_WANT_WRITE:
      wants_write_ = true;
      return true;
    case SSL_ERROR_ZERO_RETURN:
      close("closed by the other director");
      return false;
    case SSL_ERROR_SYSCALL: {
      int error = errno;
      socklen_t length = sizeof error;
      if (error == 0) getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
      close(error == 0 ? fmt::format("{}: connection closed", doing)
                       : fmt::format("{}: {}", doing, std::strerror(error)));
      return false;
    }
    default:
      close(fmt::format("{}: {}", doing, last_error()));
      return false;
  }
}

void Channel::wait() {
  const bool writes = wants_write_ || (open_ && !out_.empty());
  const auto rewatched = loop_.rewatch(watch_, writes ? EPOLLIN | EPOLLOUT : EPOLLIN);
  if (!rewatched) close(rewatched.error().message);
}

void Channel::close(std::string why) {
  if (std::exchange(closed_, true)) return;
  open_ = false;
  loop_.unwatch(std::exchange(watch_, 0));
  loop_.cancel(std::exchange(again_, 0));
  callbacks_.on_closed(std::move(why));
}

}  // namespace director
