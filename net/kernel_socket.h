#pragma once

#include <memory>

#include "net/loop.h"
#include "net/raw_socket.h"

namespace net {

/// A raw socket of the kernel's. Errors: EPERM: the process lacks CAP_NET_RAW; ENODEV: the interface is gone.
Result<std::unique_ptr<RawSocket>> open_kernel_socket(Loop& loop, const RawSocket::Spec& wanted,
                                                      RawSocket::OnReady on_ready);

/// Whether this process may open such sockets at all. Error EPERM: it lacks CAP_NET_RAW.
Result<> may_open_kernel_socket(const RawSocket::Spec& wanted);

}  // namespace net
