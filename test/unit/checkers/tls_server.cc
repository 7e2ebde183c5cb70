#include "tls_server.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace {

void require(bool good) {
  if (!good) throw std::runtime_error("OpenSSL");
}

X509* certificate(EVP_PKEY* key, const char* name, int from_days, int to_days) {
  X509* made = X509_new();
  static long serial = 1;
  X509_set_version(made, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made), serial++);
  X509_gmtime_adj(X509_getm_notBefore(made), from_days * 86400L);
  // A little more than whole days, so that a slow test counts the same.
  X509_gmtime_adj(X509_getm_notAfter(made), to_days * 86400L + 3600);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_pubkey(made, key);
  return made;
}

void extend(X509* made, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, made, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  require(extension != nullptr);
  X509_add_ext(made, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

TestCa::TestCa() : key_(EVP_EC_gen("P-256")) {
  static int count = 0;
  certificate_ = certificate(key_, ("Test CA " + std::to_string(++count)).c_str(), -100, 100);
  X509_set_issuer_name(certificate_, X509_get_subject_name(certificate_));
  extend(certificate_, certificate_, NID_basic_constraints, "critical,CA:TRUE");
  require(X509_sign(certificate_, key_, EVP_sha256()) > 0);
  file_ = (std::filesystem::temp_directory_path() / "checkers-test-ca-XXXXXX").string();
  std::FILE* file = fdopen(mkstemp(file_.data()), "w");
  require(file != nullptr && PEM_write_X509(file, certificate_) == 1);
  std::fclose(file);
}

TestCa::~TestCa() {
  for (auto* context : contexts_) SSL_CTX_free(context);
  X509_free(certificate_);
  EVP_PKEY_free(key_);
  std::filesystem::remove(file_);
}

SSL_CTX* TestCa::server(const Issue& issue) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* made = certificate(key, "server", issue.from_days, issue.to_days);
  X509_set_issuer_name(made, X509_get_subject_name(certificate_));
  extend(made, certificate_, NID_subject_alt_name, issue.names);
  require(X509_sign(made, key_, EVP_sha256()) > 0);
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  require(SSL_CTX_use_certificate(context, made) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1);
  X509_free(made);
  EVP_PKEY_free(key);
  contexts_.push_back(context);
  return context;
}

TlsPeer::TlsPeer(SSL_CTX* context) : ssl_(SSL_new(context)), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
  SSL_set_bio(ssl_, in_, out_);
  SSL_set_accept_state(ssl_);
}

std::string TlsPeer::exchange(const std::string& bytes) {
  BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
  if (SSL_do_handshake(ssl_) == 1) {
    char buffer[4096];
    for (int count; (count = SSL_read(ssl_, buffer, sizeof buffer)) > 0;)
      heard.append(buffer, static_cast<std::size_t>(count));
    if (!heard.empty() && !answer.empty()) {
      for (std::size_t at = 0; at < answer.size(); at += std::min(record, answer.size())) {
        const auto part = answer.substr(at, record);
        SSL_write(ssl_, part.data(), static_cast<int>(part.size()));
      }
      answer.clear();
    }
  }
  std::string sent(BIO_ctrl_pending(out_), '\0');
  if (!sent.empty()) BIO_read(out_, sent.data(), static_cast<int>(sent.size()));
  return sent;
}
