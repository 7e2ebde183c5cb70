#pragma once

#include "checkers/spec.h"
#include "config/type.h"

/// The kinds of checks, each as the map that stands under its name.
namespace config {

Type<checkers::Tcp> tcp_type();
Type<checkers::Tls> tls_type();

/// `https` is `http` with a key for TLS.
Type<checkers::Http> http_type();
Type<checkers::Http> https_type();

Type<checkers::Udp> udp_type();
Type<checkers::Dns> dns_type();
Type<checkers::Icmp> icmp_type();
Type<checkers::Smtp> smtp_type();
Type<checkers::Exec> exec_type();
Type<checkers::Agent> agent_type();

}  // namespace config
