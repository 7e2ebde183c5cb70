#pragma once

#include <openssl/ssl.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

/// Certificates made for one test: a private CA and servers' certificates from it, and the server's end of TLS in
/// memory, to be laid against a conversation without a socket.
class TestCa {
 public:
  TestCa();
  ~TestCa();
  TestCa(const TestCa&) = delete;
  TestCa& operator=(const TestCa&) = delete;

  /// The CA's certificate as a PEM file.
  [[nodiscard]] const std::string& file() const { return file_; }

  struct Issue {
    std::string names = "DNS:www.example.org,IP:10.0.0.7";  ///< subjectAltName
    int from_days = -10;
    int to_days = 30;
  };
  /// A server context with a fresh certificate.
  [[nodiscard]] SSL_CTX* server(const Issue& issue);

 private:
  EVP_PKEY* key_;
  X509* certificate_;
  std::string file_;
  std::vector<SSL_CTX*> contexts_;
};

/// The server of one connection.
class TlsPeer {
 public:
  explicit TlsPeer(SSL_CTX* context);
  ~TlsPeer() { SSL_free(ssl_); }
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;

  /// Takes ciphertext; returns the ciphertext that answers it. What it carried is appended to `heard`, and once there
  /// is any, `answer` is said.
  std::string exchange(const std::string& bytes);

  std::string answer;
  std::size_t record = std::string::npos;  ///< bytes of the answer in each TLS record
  std::string heard;
  [[nodiscard]] bool resumed() const { return SSL_session_reused(ssl_) == 1; }

 private:
  SSL* ssl_;
  BIO* in_;
  BIO* out_;
};
