#pragma once

#include "net/host.h"

/// Another host, to which everything is handed on: for tests that stand between it and whoever asks.
class ForwardingHost : public net::Host {
 public:
  /// `behind` must outlive this.
  explicit ForwardingHost(net::Host& behind) : behind_(behind) {}

  net::Result<> open() override { return behind_.open(); }
  net::Result<std::unique_ptr<net::Links>> follow_links(net::Loop& loop, net::Links::OnChange on_change) override {
    return behind_.follow_links(loop, std::move(on_change));
  }
  net::Result<> lease_address(const net::Leases::Request& request, std::chrono::seconds lease) override {
    return behind_.lease_address(request, lease);
  }
  net::Result<std::optional<net::Leases::Lease>> find_address(int interface, const net::Prefix& prefix) override {
    return behind_.find_address(interface, prefix);
  }
  net::Result<> drop_address(int interface, const net::Prefix& prefix) override {
    return behind_.drop_address(interface, prefix);
  }
  net::Result<> set_route(const net::RouteEntry& route, std::chrono::seconds lease) override {
    return behind_.set_route(route, lease);
  }
  net::Result<> drop_route(const net::RouteEntry& route) override { return behind_.drop_route(route); }
  net::Result<std::vector<net::RouteEntry>> own_routes() override { return behind_.own_routes(); }
  net::Result<> open_routing() override { return behind_.open_routing(); }
  net::Result<net::Route> route_to(const net::Address& address) override { return behind_.route_to(address); }
  net::Result<net::Interface> make_macvlan(const net::Macvlans::Spec& wanted) override {
    return behind_.make_macvlan(wanted);
  }
  net::Result<> set_up(int interface, bool up) override { return behind_.set_up(interface, up); }
  net::Result<> remove_interface(int interface) override { return behind_.remove_interface(interface); }
  net::Result<> announce(const net::Interface& interface, const net::Address& address) override {
    return behind_.announce(interface, address);
  }
  net::Result<std::string> read_setting(const std::string& name) override { return behind_.read_setting(name); }
  net::Result<> write_setting(const std::string& name, const std::string& value) override {
    return behind_.write_setting(name, value);
  }
  net::Result<> may_open_socket(const net::RawSocket::Spec& wanted) override { return behind_.may_open_socket(wanted); }
  net::Result<std::unique_ptr<net::RawSocket>> open_socket(net::Loop& loop, const net::RawSocket::Spec& wanted,
                                                           net::RawSocket::OnReady on_ready) override {
    return behind_.open_socket(loop, wanted, std::move(on_ready));
  }

 private:
  net::Host& behind_;
};
