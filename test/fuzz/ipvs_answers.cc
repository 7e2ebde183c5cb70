// The kernel's generic-netlink answers. The first byte chooses whose: what follows is a message's payload.
#include "ipvs/codec.h"
#include "test/fuzz/target.h"

using namespace ipvs;

namespace {

constexpr std::uint16_t family_id = 0x1c;

net::NetlinkMessage answer(net::Bytes payload) {
  return {.type = family_id, .flags = 0, .sequence = 0, .payload = payload};
}

/// A value that was read can be written, and reads as the same again.
template <class Check>
void round_trip(const Op& op, Check check) {
  net::NetlinkBatch batch;
  encode(batch, family_id, op);
  check(answer(net::Bytes(batch.message(0)).subspan(16)));
}

void service(net::Bytes payload) {
  const auto row = decode_service(answer(payload));
  if (!row) return;
  round_trip(AddService{row->key, row->service}, [&](const net::NetlinkMessage& message) {
    const auto again = decode_service(message);
    fuzz::require(again && again->key == row->key && again->service == row->service,
                  "a service is written as it is read");
  });
}

void destination(net::Bytes payload, net::Family family) {
  const auto row = decode_destination(answer(payload), family);
  if (!row) return;
  const ServiceKey key{.endpoint = {.address = net::Address::any(family), .port = 80}};
  round_trip(AddDestination{key, row->key, row->status.destination}, [&](const net::NetlinkMessage& message) {
    const auto again = decode_destination(message, family);
    fuzz::require(again && again->key == row->key && again->status.destination == row->status.destination,
                  "a destination is written as it is read");
  });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::uint8_t choice = fuzz::take_choice(data, size);
  const net::Bytes payload = fuzz::as_bytes(data, size);
  switch (choice % 6) {
    case 0:
      service(payload);
      break;
    case 1:
      destination(payload, net::Family::ipv4);
      break;
    case 2:
      destination(payload, net::Family::ipv6);
      break;
    case 3:
      (void)decode_daemon(answer(payload));
      break;
    case 4:
      (void)decode_timeouts(answer(payload));
      break;
    default:
      (void)decode_info(answer(payload));
  }
  return 0;
}
