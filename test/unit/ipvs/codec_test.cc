#include "ipvs/codec.h"

#include <fmt/format.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>

#include "test/catch.h"
#include "test/unit/ipvs/random.h"

using namespace ipvs;
using net::Bytes;
using net::NetlinkBatch;
using net::NetlinkMessage;

namespace {

constexpr std::uint16_t family_id = 0x1c;

NetlinkMessage as_answer(Bytes message) {
  return {.type = family_id, .flags = 0, .sequence = 0, .payload = message.subspan(NLMSG_HDRLEN)};
}

/// A kernel's answer speaks of a thing with the same attributes that add it.
NetlinkBatch encoded(const Op& op) {
  NetlinkBatch batch;
  encode(batch, family_id, op);
  return batch;
}

/// What follows the message's length, in hex, four bytes a group, the first level's attributes a line each.
std::string hex(const NetlinkBatch& batch) {
  std::string text;
  const Bytes bytes = batch.message(0);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    text += fmt::format("{}{:02x}", i > 0 && i % 4 == 0 ? " " : "", std::to_integer<unsigned>(bytes[i]));
  }
  return text;
}

const ServiceKey tcp4{.protocol = Protocol::tcp, .endpoint = *net::Endpoint::parse("192.0.2.1:80"), .fwmark = 0};
const ServiceKey mark6{
    .protocol = Protocol::none, .endpoint = {.address = net::Address::any(net::Family::ipv6)}, .fwmark = 7};
const DestinationKey server{.endpoint = *net::Endpoint::parse("10.0.0.7:8080")};

Daemon random_daemon(Random& random) {
  Daemon daemon{.state = random.one_of<Daemon::State>({Daemon::State::master, Daemon::State::backup}),
                .interface = random.one_of<std::string>({"lo", "eth0", "fifteen-letters"}),
                .sync_id = static_cast<std::uint8_t>(random.below(256)),
                .max_length = static_cast<std::uint16_t>(random.below(65536)),
                .group = {},
                .port = static_cast<std::uint16_t>(random.below(65536)),
                .ttl = static_cast<std::uint8_t>(random.below(256))};
  if (random.chance(2)) daemon.group = net::Address::parse(random.chance(2) ? "239.1.2.3" : "ff05::7");
  return daemon;
}

}  // namespace

TEST_CASE("services, destinations, daemons and timeouts decode to what was encoded") {
  for (std::uint32_t seed = 0; seed < 2000; ++seed) {
    INFO("seed " << seed);
    Random random(seed);
    const ServiceKey key = random.service_key();
    const Service service = random.service(key.family());
    auto added = encoded(AddService{key, service});
    const auto row = decode_service(as_answer(added.message(0)));
    REQUIRE(row);
    CHECK(row->key == key);
    CHECK(row->service == service);

    const DestinationKey destination_key = random.destination_key(random.family());
    const Destination destination = random.destination();
    auto joined = encoded(AddDestination{key, destination_key, destination});
    const auto found = decode_destination(as_answer(joined.message(0)), key.family());
    REQUIRE(found);
    CHECK(found->key == destination_key);
    CHECK(found->status.destination == destination);

    const Daemon daemon = random_daemon(random);
    auto started = encoded(StartDaemon{daemon});
    CHECK(decode_daemon(as_answer(started.message(0))) == daemon);

    const Timeouts timeouts{.tcp = std::chrono::seconds(random.below(1 << 20)),
                            .tcp_fin = std::chrono::seconds(random.below(1 << 20)),
                            .udp = std::chrono::seconds(random.below(1 << 20))};
    auto set = encoded(SetTimeouts{timeouts});
    CHECK(decode_timeouts(as_answer(set.message(0))) == timeouts);
  }
}

TEST_CASE("each command's bytes are the kernel's") {
  // nlmsghdr: length, type and flags, sequence, port; genlmsghdr: command, version; attributes: length and type, value.
  // 192.0.2.1:80 is c0000201 0050, 10.0.0.7:8080 is 0a000007 1f90.
  const std::string tcp4_key =
      "06000100 02000000 06000200 06000000 14000300 c0000201 00000000 00000000 00000000 06000400 00500000";
  const std::string server_key = "06000b00 02000000 14000100 0a000007 00000000 00000000 00000000 06000200 1f900000";
  const auto begins = [](std::string length, std::string command) {
    return length + " 1c000100 00000000 00000000 " + command + "010000 ";
  };
  CHECK(hex(encoded(AddService{tcp4, {.scheduler = "wrr"}})) ==
        begins("68000000", "01") + "54000180 " + tcp4_key +
            " 08000600 77727200 0c000700 00000000 ffffffff 08000800 00000000 08000900 ffffffff");
  CHECK(hex(encoded(SetService{mark6,
                               {.scheduler = "sh",
                                .flags = flag::sched2,
                                .persistence = std::chrono::seconds(300),
                                .mask_length = 64,
                                .persistence_engine = "sip"}})) ==
        begins("54000000", "02") +
            "40000180 06000100 0a000000 08000500 07000000 07000600 73680000 08000b00 73697000 0c000700 11000000 "
            "ffffffff 08000800 2c010000 08000900 40000000");
  CHECK(hex(encoded(RemoveService{tcp4})) == begins("44000000", "03") + "30000180 " + tcp4_key);
  const std::string values = " 08000300 00000000 08000400 03000000 08000500 09000000 08000600 02000000";
  const Destination nat{.forward = Forward::nat, .weight = 3, .upper_threshold = 9, .lower_threshold = 2, .tunnel = {}};
  CHECK(hex(encoded(AddDestination{tcp4, server, nat})) ==
        begins("8c000000", "05") + "30000180 " + tcp4_key + " 48000280 " + server_key + values);
  CHECK(hex(encoded(SetDestination{tcp4, server, nat})) ==
        begins("8c000000", "06") + "30000180 " + tcp4_key + " 48000280 " + server_key + values);
  const Tunnel gue{.type = Tunnel::Type::gue, .port = 6080, .flags = 1};
  CHECK(hex(encoded(SetDestination{tcp4, server, {.forward = Forward::tunnel, .tunnel = gue}})) ==
        begins("a4000000", "06") + "30000180 " + tcp4_key + " 60000280 " + server_key +
            " 08000300 02000000 08000400 01000000 08000500 00000000 08000600 00000000 05000d00 01000000 06000e00 "
            "17c00000 06000f00 01000000");
  CHECK(hex(encoded(RemoveDestination{tcp4, server})) ==
        begins("6c000000", "07") + "30000180 " + tcp4_key + " 28000280 " + server_key);
  CHECK(hex(encoded(StartDaemon{{.state = Daemon::State::backup,
                                 .interface = "eth0",
                                 .sync_id = 5,
                                 .max_length = 1400,
                                 .group = net::Address::parse("239.1.2.3"),
                                 .port = 9000,
                                 .ttl = 2}})) ==
        begins("54000000", "09") +
            "40000380 08000100 02000000 09000200 65746830 00000000 08000300 05000000 06000400 78050000 08000500 "
            "ef010203 06000700 28230000 05000800 02000000");
  CHECK(hex(encoded(StopDaemon{Daemon::State::master})) == begins("20000000", "0a") + "0c000380 08000100 01000000");
  CHECK(hex(encoded(SetTimeouts{{.tcp = std::chrono::seconds(900)}})) ==
        begins("2c000000", "0c") + "08000400 84030000 08000500 00000000 08000600 00000000");
  CHECK(hex(encoded(Zero{tcp4})) == begins("44000000", "10") + "30000180 " + tcp4_key);
  CHECK(hex(encoded(Zero{})) + " " == begins("14000000", "10"));
  CHECK(hex(encoded(Flush{})) + " " == begins("14000000", "11"));

  NetlinkBatch questions;
  encode_list_services(questions, family_id);
  CHECK(hex(questions) + " " == begins("14000000", "04"));
  questions.clear();
  encode_get_service(questions, family_id, tcp4);
  CHECK(hex(questions) == begins("44000000", "04") + "30000180 " + tcp4_key);
  questions.clear();
  encode_list_destinations(questions, family_id, tcp4);
  CHECK(hex(questions) == begins("44000000", "08") + "30000180 " + tcp4_key);
}

TEST_CASE("counters are read from STATS64, and from STATS where the kernel is older") {
  for (const bool wide : {true, false}) {
    NetlinkBatch batch;
    batch.begin(family_id, 0, genlmsghdr{.cmd = IPVS_CMD_NEW_DEST, .version = 1, .reserved = 0});
    const auto nest = batch.begin_nest(IPVS_CMD_ATTR_DEST);
    batch.put(IPVS_DEST_ATTR_ADDR, net::Address::parse("10.0.0.7")->bytes());
    batch.put(IPVS_DEST_ATTR_PORT, std::uint16_t{0x901f});
    for (const std::uint16_t type :
         {IPVS_DEST_ATTR_FWD_METHOD, IPVS_DEST_ATTR_WEIGHT, IPVS_DEST_ATTR_U_THRESH, IPVS_DEST_ATTR_L_THRESH,
          IPVS_DEST_ATTR_ACTIVE_CONNS, IPVS_DEST_ATTR_INACT_CONNS, IPVS_DEST_ATTR_PERSIST_CONNS}) {
      batch.put(type, std::uint32_t{type});
    }
    const auto stats = batch.begin_nest(wide ? IPVS_DEST_ATTR_STATS64 : IPVS_DEST_ATTR_STATS);
    for (std::uint16_t type = IPVS_STATS_ATTR_CONNS; type <= IPVS_STATS_ATTR_OUTBPS; ++type) {
      const bool always_wide = type == IPVS_STATS_ATTR_INBYTES || type == IPVS_STATS_ATTR_OUTBYTES;
      const std::uint64_t value = (wide || always_wide ? std::uint64_t{1} << 40 : 0) + type;
      if (wide || always_wide)
        batch.put(type, value);
      else
        batch.put(type, static_cast<std::uint32_t>(value));
    }
    batch.end_nest(stats);
    batch.end_nest(nest);
    const auto row = decode_destination(as_answer(batch.message(0)), net::Family::ipv4);
    REQUIRE(row);
    const std::uint64_t high = std::uint64_t{1} << 40;
    const std::uint64_t count = wide ? high : 0;
    CHECK(row->key == server);
    CHECK(row->status.active == IPVS_DEST_ATTR_ACTIVE_CONNS);
    CHECK(row->status.inactive == IPVS_DEST_ATTR_INACT_CONNS);
    CHECK(row->status.persistent == IPVS_DEST_ATTR_PERSIST_CONNS);
    CHECK(row->status.stats == Stats{.connections = count + 1,
                                     .packets_in = count + 2,
                                     .packets_out = count + 3,
                                     .bytes_in = high + 4,
                                     .bytes_out = high + 5,
                                     .connection_rate = count + 6,
                                     .packet_rate_in = count + 7,
                                     .packet_rate_out = count + 8,
                                     .byte_rate_in = count + 9,
                                     .byte_rate_out = count + 10});
  }
}

TEST_CASE("answers cut short or with any bit flipped are errors or values, never a read outside their bytes") {
  int errors = 0, values = 0;
  const auto try_bytes = [&](const std::vector<std::byte>& bytes) {
    // A copy of exactly this size, so that the address sanitizer sees any read past its end.
    const NetlinkMessage message{.type = family_id, .flags = 0, .sequence = 0, .payload = bytes};
    const auto count = [&](bool value) { ++(value ? values : errors); };
    count(decode_service(message).has_value());
    count(decode_destination(message, net::Family::ipv6).has_value());
    count(decode_daemon(message).has_value());
    count(decode_timeouts(message).has_value());
    count(decode_info(message).has_value());
  };
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    const ServiceKey key = random.service_key();
    for (const Op& op : {Op(AddService{key, random.service(key.family())}),
                         Op(AddDestination{key, random.destination_key(key.family()), random.destination()}),
                         Op(StartDaemon{random_daemon(random)}), Op(SetTimeouts{})}) {
      auto batch = encoded(op);
      const Bytes whole = as_answer(batch.message(0)).payload;
      for (std::size_t length = 0; length < whole.size(); ++length)
        try_bytes({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
      for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
        std::vector<std::byte> bytes(whole.begin(), whole.end());
        bytes[bit / 8] ^= std::byte(1u << (bit % 8));
        try_bytes(bytes);
      }
    }
  }
  CHECK(errors > 10000);
  CHECK(values > 1000);
}

TEST_CASE("an answer without one of its attributes is an error") {
  auto batch = encoded(AddService{tcp4, {}});
  const std::vector<std::byte> whole(batch.message(0).begin(), batch.message(0).end());
  // Renaming an attribute to a type that nobody reads is to leave it out.
  const std::size_t first = NLMSG_HDRLEN + GENL_HDRLEN + NLA_HDRLEN;
  int removed = 0;
  for (std::size_t at = first; at < whole.size(); ++removed) {
    auto bytes = whole;
    bytes[at + 2] = std::byte{200};
    CHECK_FALSE(decode_service(as_answer(bytes)));
    at += NLA_ALIGN(std::to_integer<std::size_t>(whole[at]));
  }
  CHECK(removed == 8);
}
