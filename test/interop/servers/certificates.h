#pragma once

#include <string>

#include "test/interop/servers/daemon.h"
#include "test/unit/checkers/tls_server.h"

/// Where a server finds the certificate and the key that were issued for it, in PEM.
struct PemFiles {
  std::string certificate, key;
};

[[nodiscard]] PemFiles issue(TestCa& ca, const Workshop& workshop, const std::string& name, const TestCa::Issue& issue);
