// The issuers that this host trusts, of checks without a CA file: read in a thread, never on the loop.
#include "checkers/probes/system_cas.h"

#include <fmt/format.h>
#include <openssl/pem.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "checkers/probes/tls.h"
#include "server.h"
#include "shell.h"
#include "test/catch.h"
#include "tls_server.h"

using namespace checkers;
namespace fs = std::filesystem;

namespace {

const auto target = *net::Endpoint::parse("10.0.0.7:443");

/// A folder that takes the place of the host's while this lives.
struct Trusted {
  fs::path folder;

  Trusted() {
    std::string pattern = "/dev/shm/checkers-test-XXXXXX";
    folder = mkdtemp(pattern.data());
    setenv("SSL_CERT_DIR", ("/nonexistent:" + folder.string()).c_str(), 1);
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
  }
  ~Trusted() {
    unsetenv("SSL_CERT_DIR");
    unsetenv("SSL_CERT_FILE");
    fs::remove_all(folder);
  }
  Trusted(const Trusted&) = delete;
  Trusted& operator=(const Trusted&) = delete;

  /// As c_rehash does.
  void add(const TestCa& ca) const {
    const std::unique_ptr<FILE, int (*)(FILE*)> file(fopen(ca.file().c_str(), "r"), [](FILE* f) { return fclose(f); });
    X509* certificate = PEM_read_X509(file.get(), nullptr, nullptr, nullptr);
    REQUIRE(certificate != nullptr);
    const auto hash = X509_subject_name_hash(certificate);
    X509_free(certificate);
    for (int number = 0;; ++number) {
      const auto name = folder / fmt::format("{:08x}.{}", hash, number);
      if (fs::exists(name)) continue;
      fs::copy_file(ca.file(), name);
      return;
    }
  }
};

/// The outcome of a handshake with a server whose issuer is `ca`, by a context that was made ready before.
Outcome handshake(const TlsContext& context, TestCa& ca) {
  TlsPeer peer(ca.server({}));
  const auto conversation = context.wrap(target, nullptr);
  std::string out;
  auto result = conversation->begin(out);
  while (!result && !out.empty()) result = conversation->receive(peer.exchange(std::exchange(out, {})), out);
  REQUIRE(result);
  return result->outcome;
}

}  // namespace

TEST_CASE("the system's CAs are read when a check is made ready, and no file in a handshake") {
  const Trusted trusted;
  TestCa ca, other;
  trusted.add(ca);
  const auto context = TlsContext::prepare({.name = "www.example.org"}, "").value();
  fs::remove_all(trusted.folder);
  CHECK(handshake(context, ca) == Outcome::passed);
  CHECK(handshake(context, other) == Outcome::failed);
}

TEST_CASE("checks share the system's CAs until these change") {
  const Trusted trusted;
  TestCa ca, later;
  trusted.add(ca);
  const auto first = system_cas().value(), second = system_cas().value();
  CHECK(first.get() == second.get());
  std::ofstream(trusted.folder / "README") << "no certificate\n";
  std::ofstream(trusted.folder / "0123abcd.0") << "no certificate either\n";
  trusted.add(later);
  CHECK(system_cas().value().get() != first.get());
  const auto context = TlsContext::prepare({.name = "www.example.org"}, "").value();
  CHECK(handshake(context, ca) == Outcome::passed);
  CHECK(handshake(context, later) == Outcome::passed);
}

TEST_CASE("what makes a check ready that verifies certificates does so in a thread") {
  const Listener listener;
  auto loop = net::Loop::create().value();
  const auto first_words = [&](Kind kind) {
    const auto prober = make_prober({.kind = std::move(kind)});
    auto started = prober->start(loop, listener.endpoint, 0, [](Result) {});
    REQUIRE(std::holds_alternative<std::unique_ptr<ProbeRun>>(started));
    return std::get<std::unique_ptr<ProbeRun>>(started)->doing();
  };
  const auto at = " " + to_string(listener.endpoint);
  CHECK(first_words(Tcp{.tls = Tls{}}) == "tls" + at);
  CHECK(first_words(Http{.tls = Tls{}}) == "https" + at);
  CHECK(first_words(Smtp{.starttls = true}) == "smtp" + at);
  CHECK(first_words(Smtp{.starttls = true, .tls = Tls{}}) == "smtp" + at);
  CHECK(first_words(Smtp{.starttls = true, .tls = Tls{.verify = false}}) == "connect" + at);
  CHECK(first_words(Tcp{}) == "connect" + at);
}
