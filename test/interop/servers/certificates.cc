#include "test/interop/servers/certificates.h"

#include <openssl/pem.h>

#include <cstdio>

#include "test/catch.h"

PemFiles issue(TestCa& ca, const Workshop& workshop, const std::string& name, const TestCa::Issue& issue) {
  const SSL_CTX* context = ca.server(issue);
  const PemFiles files{.certificate = workshop.file(name + ".crt", ""), .key = workshop.file(name + ".key", "")};
  std::FILE* certificate = std::fopen(files.certificate.c_str(), "w");
  std::FILE* key = std::fopen(files.key.c_str(), "w");
  REQUIRE((certificate != nullptr && key != nullptr));
  CHECK(PEM_write_X509(certificate, SSL_CTX_get0_certificate(context)) == 1);
  CHECK(PEM_write_PrivateKey(key, SSL_CTX_get0_privatekey(context), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  std::fclose(certificate);
  std::fclose(key);
  return files;
}
