#pragma once

#include "checkers/spec.h"
#include "config/schema/type.h"

/// The kinds of checks, each as the map that stands under its name; those that speak to the service itself as objects,
/// to which the check adds `via`.
namespace config {

Object<checkers::Tcp> tcp_object();
Object<checkers::Tls> tls_object();

/// `https` is `http` with a key for TLS.
Object<checkers::Http> http_object();
Object<checkers::Http> https_object();

Object<checkers::Udp> udp_object();
Object<checkers::Dns> dns_object();
Object<checkers::Smtp> smtp_object();
Type<checkers::Icmp> icmp_type();
Type<checkers::Exec> exec_type();
Type<checkers::Agent> agent_type();

}  // namespace config
