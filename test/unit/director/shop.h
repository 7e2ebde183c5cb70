#pragma once

#include "config/cluster.h"

/// A small cluster for the director's tests: one wrr service with two servers and a fallback.
namespace director_test {

inline net::Endpoint endpoint(const char* text) { return net::Endpoint::parse(text).value(); }

inline ipvs::DestinationKey at(const char* text) { return {.endpoint = endpoint(text)}; }

inline config::Service web() {
  config::Service service;
  service.name = "web";
  service.key = {.protocol = ipvs::Protocol::tcp, .endpoint = endpoint("192.168.56.10:80"), .fwmark = 0};
  service.spec.scheduler = "wrr";
  service.quorum.regain = service.quorum.below;
  service.servers = {{.name = "web1", .endpoint = endpoint("192.168.200.11:80"), .weight = 3},
                     {.name = "web2", .endpoint = endpoint("192.168.200.12:80"), .weight = 1}};
  return service;
}

inline config::Node lb1() { return {.name = "lb1", .address = *net::Address::parse("192.168.56.11"), .priority = 150}; }

inline config::Cluster shop() {
  config::Cluster cluster;
  cluster.name = "shop";
  cluster.nodes = {lb1()};
  cluster.services = {web()};
  return cluster;
}

}  // namespace director_test
