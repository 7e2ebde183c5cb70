#include "test/lab/topology.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "net/socket_address.h"

namespace lab {

net::Address address(std::string_view text) {
  const auto parsed = net::Address::parse(text);
  if (!parsed) throw std::invalid_argument("no address: " + std::string(text));
  return *parsed;
}

net::Prefix prefix(std::string_view text) {
  const auto parsed = net::Prefix::parse(text);
  if (!parsed) throw std::invalid_argument("no prefix: " + std::string(text));
  return *parsed;
}

Host::Host(std::string host_name) : name(std::move(host_name)) { rtnetlink.set_up("lo", true); }

void Host::sysctl(const std::string& key, std::string_view value) const {
  const Within within(network);
  std::ofstream file("/proc/sys/net/" + key);
  if (!(file << value << std::flush)) throw std::runtime_error(name + ": cannot set net/" + key);
}

bool Host::holds(const net::Address& address) const {
  const Within within(network);
  const net::Fd socket(must(::socket(address.af(), SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  const net::SocketAddress bound({address, 0});
  return bind(socket.get(), bound.get(), bound.length()) == 0;  // the kernel lets nobody bind to what is not local
}

std::string Host::proc_net(const std::string& file) const {
  const Within within(network);
  std::ifstream in("/proc/thread-self/net/" + file);
  return {std::istreambuf_iterator<char>(in), {}};
}

void Topology::add_network(const std::string& name) { switch_.add_bridge(name); }

Host& Topology::add_host(const std::string& name) { return hosts_.emplace_back(name); }

void Topology::connect(Host& host, const std::string& network, const std::string& interface,
                       const std::vector<std::string>& prefixes) {
  switch_.add_veth(port(host, network), interface, host.network);
  switch_.set_master(port(host, network), network);
  host.rtnetlink.set_up(interface, true);
  for (const auto& text : prefixes) host.rtnetlink.add_address(interface, prefix(text));
}

}  // namespace lab
