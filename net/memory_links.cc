#include "net/memory_links.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>

namespace net {

MemoryLinks::MemoryLinks(Loop& loop, Host host, OnChange on_change, Fd notice)
    : loop_(loop), host_(std::move(host)), on_change_(std::move(on_change)), notice_(std::move(notice)) {}

MemoryLinks::~MemoryLinks() {
  loop_.unwatch(watch_);
  host_.on_close(*this);
}

Result<std::unique_ptr<MemoryLinks>> MemoryLinks::follow(Loop& loop, Host host, OnChange on_change) {
  Fd notice(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!notice) return system_error(errno, "follow the network interfaces");
  std::unique_ptr<MemoryLinks> links(new MemoryLinks(loop, std::move(host), std::move(on_change), std::move(notice)));
  auto watch = loop.watch(links->notice_.get(), EPOLLIN, [self = links.get()](std::uint32_t) { self->on_notice(); });
  if (!watch) return std::unexpected(watch.error());
  links->watch_ = *watch;
  // What is there at first is read in the kernel's order; what comes later is told of one by one.
  for (const auto& [index, interface] : links->host_.network.interfaces()) {
    for (const Family family : {Family::ipv4, Family::ipv6}) {
      for (const MemoryAddress& address : interface.of(family)) links->order_[index].push_back(address.serial);
    }
  }
  links->update();
  return links;
}

void MemoryLinks::notify() { eventfd_write(notice_.get(), 1); }

void MemoryLinks::on_notice() {
  eventfd_t count = 0;
  eventfd_read(notice_.get(), &count);
  host_.refresh();
  const auto before = interfaces_;
  update();
  for (const std::string& name : changed_names(before, interfaces_)) on_change_(name);
}

void MemoryLinks::update() {
  interfaces_.clear();
  std::erase_if(order_, [&](const auto& entry) { return host_.network.find(entry.first) == nullptr; });
  for (const auto& [index, interface] : host_.network.interfaces()) {
    std::map<std::uint64_t, InterfaceAddress> now;
    for (const Family family : {Family::ipv4, Family::ipv6}) {
      for (const MemoryAddress& address : interface.of(family)) now.emplace(address.serial, address.shown);
    }
    auto& order = order_[index];
    std::erase_if(order, [&](std::uint64_t serial) { return !now.contains(serial); });
    for (const auto& [serial, address] : now) {
      if (std::ranges::find(order, serial) == order.end()) order.push_back(serial);
    }
    Interface& here = interfaces_[index];
    here = {.index = index,
            .name = interface.name,
            .lower_index = interface.lower_index,
            .up = host_.network.is_up(interface),
            .mac = interface.mac,
            .addresses = {},
            .altnames = interface.altnames};
    for (const std::uint64_t serial : order) here.addresses.push_back(now.at(serial));
  }
}

}  // namespace net
