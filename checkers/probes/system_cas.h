#pragma once

#include <openssl/types.h>

#include <memory>

#include "net/error.h"

namespace checkers {

struct FreeStore {
  void operator()(X509_STORE* store) const;
};
using Store = std::unique_ptr<X509_STORE, FreeStore>;

/// The issuers that this host trusts: OpenSSL's file of CA certificates and the folders that c_rehash(1) has prepared,
/// or those of SSL_CERT_FILE and SSL_CERT_DIR. All are read now, where OpenSSL itself would read a folder in the middle
/// of a handshake; all callers share what was read until one of the files has changed. Certificates that are not there
/// or cannot be read are not trusted. Blocks: for threads other than the loop's. Error: no memory left.
[[nodiscard]] net::Result<Store> system_cas();

}  // namespace checkers
