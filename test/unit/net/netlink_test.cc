#include "net/netlink.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <random>
#include <string>

#include "net/kernel_links.h"
#include "test/catch.h"

namespace attribute = net::attribute;
using net::AttributePolicy;
using net::Attributes;
using net::Bytes;
using net::NetlinkBatch;
using net::NetlinkMessage;

namespace {

constexpr AttributePolicy outer_policy = {
    {1, attribute::exactly<std::uint32_t>}, {2, attribute::nest}, {5, attribute::exactly<std::uint64_t>}};
constexpr AttributePolicy inner_policy = {{3, attribute::string}, {4, attribute::exactly<std::uint16_t>}};
constexpr AttributePolicy link_policy = {{IFLA_IFNAME, attribute::string}};

/// One message's attributes, as the kernel would read them.
Bytes attributes_of(const NetlinkBatch& batch, std::size_t index, std::size_t header) {
  return batch.message(index).subspan(NLMSG_HDRLEN + header);
}

NetlinkBatch sample() {
  NetlinkBatch batch;
  batch.begin(20, NLM_F_CREATE, rtgenmsg{.rtgen_family = AF_INET});
  batch.put(1, std::uint32_t{7});
  const auto nest = batch.begin_nest(2);
  batch.put_text(3, "lo");
  batch.put(4, std::uint16_t{9});
  batch.end_nest(nest);
  batch.put(5, std::uint64_t{1} << 40);
  return batch;
}

}  // namespace

TEST_CASE("attributes read back as they were put") {
  const auto batch = sample();
  const auto read = Attributes::parse(attributes_of(batch, 0, 4), outer_policy);
  REQUIRE(read);
  CHECK(read->get<std::uint32_t>(1) == 7u);
  CHECK(read->get<std::uint64_t>(5) == std::uint64_t{1} << 40);
  CHECK_FALSE(read->has(3));
  CHECK_FALSE(read->get<std::uint64_t>(1));
  const auto inner = read->nest(2, inner_policy);
  REQUIRE(inner);
  CHECK(inner->text(3) == "lo");
  CHECK(inner->get<std::uint16_t>(4) == std::uint16_t{9});
}

TEST_CASE("a batch keeps its messages apart") {
  auto batch = sample();
  const std::size_t first = batch.message(0).size();
  batch.begin(21, 0, ifinfomsg{});
  batch.put_text(IFLA_IFNAME, "eth0");
  CHECK(batch.count() == 2);
  CHECK(batch.message(0).size() == first);
  nlmsghdr header;
  std::memcpy(&header, batch.message(1).data(), sizeof header);
  CHECK(header.nlmsg_len == batch.message(1).size());
  CHECK(header.nlmsg_type == 21);
  CHECK(header.nlmsg_flags == NLM_F_REQUEST);
}

TEST_CASE("a message that is longer than most grows, and so do the nests that are open in it") {
  const std::string text(1000, 'x');
  NetlinkBatch batch;
  batch.begin(20, 0, rtgenmsg{});
  const auto nest = batch.begin_nest(2);
  for (int i = 0; i < 10; ++i) batch.put_text(3, text);
  batch.put(4, std::uint16_t{9});
  batch.end_nest(nest);
  const auto read = Attributes::parse(attributes_of(batch, 0, 4), outer_policy);
  REQUIRE(read);
  CHECK(read->find(2).size() == 10 * NLA_ALIGN(NLA_HDRLEN + 1001) + NLA_ALIGN(NLA_HDRLEN + 2));
  const auto inner = read->nest(2, AttributePolicy{{4, attribute::exactly<std::uint16_t>}});
  REQUIRE(inner);
  CHECK(inner->get<std::uint16_t>(4) == std::uint16_t{9});
}

TEST_CASE("a batch that is used again holds nothing of what was in it") {
  NetlinkBatch batch;
  batch.begin(30, NLM_F_CREATE, std::uint64_t{~0ULL});
  batch.put(1, std::array<std::uint64_t, 4>{~0ULL, ~0ULL, ~0ULL, ~0ULL});
  batch.clear();
  CHECK(batch.empty());
  batch.begin_command(16, 3, 1);
  batch.put(1, std::uint8_t{7});
  NetlinkBatch fresh;
  fresh.begin_command(16, 3, 1);
  fresh.put(1, std::uint8_t{7});
  CHECK(std::ranges::equal(batch.message(0), fresh.message(0)));
  CHECK(batch.message(0).size() == NLMSG_HDRLEN + 4 + 8);
}

TEST_CASE("attributes are read as their policy names them, or not at all") {
  const auto read = [](auto put, const AttributePolicy& policy) {
    NetlinkBatch batch;
    batch.begin_command(16, 3, 1);
    put(batch);
    const Bytes bytes = attributes_of(batch, 0, 4);
    return Attributes::parse(bytes, policy);
  };
  const auto refused = [&](auto put, const AttributePolicy& policy) {
    const auto attributes = read(put, policy);
    return attributes ? std::string("nothing") : attributes.error().message;
  };
  const std::string wrong_length = "a netlink attribute's length is wrong";
  CHECK(refused([](auto& batch) { batch.put(1, std::uint16_t{1}); }, outer_policy) == wrong_length);
  CHECK(refused([](auto& batch) { batch.put(1, std::uint64_t{1}); }, outer_policy) == wrong_length);
  CHECK(refused([](auto& batch) { batch.put(3, Bytes{}); }, inner_policy) == wrong_length);
  CHECK(refused([](auto& batch) { batch.put(3, std::array<char, 2>{'l', 'o'}); }, inner_policy) == wrong_length);
  const auto twice = [](auto& batch) {
    batch.put(1, std::uint32_t{1});
    batch.put(1, std::uint32_t{1});
  };
  CHECK(refused(twice, outer_policy) == "a netlink attribute occurs twice");
  CHECK(refused(twice, inner_policy) == "nothing");  // which has no such attribute
  const auto unknown = [](auto& batch) {
    batch.put(4000, std::uint8_t{1});
    batch.put(7, std::uint8_t{1});
    batch.put(1, std::uint32_t{5});
  };
  CHECK(refused(unknown, outer_policy) == "nothing");
  CHECK_FALSE(read([](auto& batch) { batch.put(7, std::uint8_t{1}); }, inner_policy)->has(7));

  const std::vector<std::byte> left_over = {std::byte{8}, std::byte{0}, std::byte{1}, std::byte{0}, std::byte{1},
                                            std::byte{2}, std::byte{3}, std::byte{4}, std::byte{8}, std::byte{0}};
  CHECK(Attributes::parse(left_over, outer_policy).error().message == "a netlink message ends within an attribute");
}

TEST_CASE("attributes cut short or with any bit flipped are read or refused, within their bytes") {
  auto batch = sample();
  const Bytes whole = attributes_of(batch, 0, 4);
  int refused = 0;
  const auto try_bytes = [&](const std::vector<std::byte>& bytes) {
    const auto read = Attributes::parse(bytes, outer_policy);
    if (!read) return void(++refused);
    const auto inner = read->nest(2, inner_policy);
    if (!inner) ++refused;
    for (std::uint16_t type = 0; type <= AttributePolicy::max_type; ++type) {
      const Bytes value = read->find(type);
      CHECK((value.empty() || (value.data() >= bytes.data() && &value.back() <= &bytes.back())));
    }
  };
  for (auto end = whole.begin(); end != whole.end(); ++end) try_bytes({whole.begin(), end});
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::vector<std::byte> bytes(whole.begin(), whole.end());
    bytes[bit / 8] ^= std::byte(1u << (bit % 8));
    try_bytes(bytes);
  }
  CHECK(refused > 50);
}

TEST_CASE("the kernel's links are dumped, and lo is one of them") {
  auto socket = net::Netlink::open(NETLINK_ROUTE);
  REQUIRE(socket);
  NetlinkBatch request;
  request.begin(RTM_GETLINK, 0, ifinfomsg{});
  std::vector<std::string> names;
  const auto dumped = socket->dump(
      request,
      [&](const NetlinkMessage& message) {
        REQUIRE(message.type == RTM_NEWLINK);
        const auto attributes = Attributes::parse(message.after(sizeof(ifinfomsg)), link_policy);
        REQUIRE(attributes);
        names.emplace_back(attributes->text(IFLA_IFNAME).value_or(""));
      },
      [&] { names.clear(); });
  REQUIRE(dumped);
  CHECK(std::ranges::find(names, "lo") != names.end());
}

TEST_CASE("each refused message of a batch is named, and the others are answered") {
  auto socket = net::Netlink::open(NETLINK_ROUTE);
  REQUIRE(socket);
  NetlinkBatch batch;
  for (int i = 0; i < 300; ++i) {
    ifinfomsg link{};
    link.ifi_index = i % 3 ? 1 : 999999;
    batch.begin(RTM_GETLINK, 0, link);
  }
  std::size_t answers = 0;
  const auto refusals = socket->exchange(batch, [&](const NetlinkMessage& message) {
    CHECK(message.type == RTM_NEWLINK);
    ++answers;
  });
  REQUIRE(refusals);
  REQUIRE(refusals->size() == 100);
  CHECK(answers == 200);
  for (std::size_t i = 0; i < refusals->size(); ++i) {
    CHECK((*refusals)[i].index == i * 3);
    CHECK((*refusals)[i].error.code == ENODEV);
  }
}

TEST_CASE("a family that the kernel lacks is named") {
  auto socket = net::Netlink::open(NETLINK_GENERIC);
  REQUIRE(socket);
  CHECK(socket->resolve_family("nlctrl") == 16);
  const auto none = socket->resolve_family("no_such_family");
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ENOENT);
  CHECK(none.error().message == "resolve the netlink family no_such_family: No such file or directory");
  CHECK(socket->resolve_family("nlctrl") == 16);
}

TEST_CASE("a monitor without news returns at once") {
  auto socket = net::Netlink::open(NETLINK_ROUTE);
  REQUIRE(socket);
  REQUIRE(socket->join(RTNLGRP_LINK));
  CHECK(socket->receive([](const NetlinkMessage&) { FAIL("nothing has changed"); }));
}

TEST_CASE("the kernel's word of an interface has its further names") {
  NetlinkBatch batch;
  ifinfomsg header{};
  header.ifi_index = 7;
  header.ifi_flags = IFF_UP | IFF_RUNNING;
  batch.begin(RTM_NEWLINK, 0, header);
  batch.put_text(IFLA_IFNAME, "eth0");
  const auto names = batch.begin_nest(IFLA_PROP_LIST);
  batch.put_text(IFLA_ALT_IFNAME, "wan");
  batch.put_text(IFLA_ALT_IFNAME, std::string(127, 'w'));
  batch.end_nest(names);
  const auto interface = net::read_interface({.type = RTM_NEWLINK, .payload = attributes_of(batch, 0, 0)});
  REQUIRE(interface);
  CHECK(interface->name == "eth0");
  CHECK(interface->altnames == std::vector<std::string>{"wan", std::string(127, 'w')});
  CHECK(interface->is_called("wan"));
  CHECK(interface->is_called("eth0"));
  CHECK_FALSE(interface->is_called("lan"));
  CHECK(interface->up);
}
