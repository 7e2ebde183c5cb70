#include "director/engine/agreement.h"
#include "test/catch.h"

using director::Agreement;
using namespace std::chrono_literals;

namespace {

const net::Instant start{1h};
const auto from = net::Address::parse("192.168.56.12").value();

vrrp::Identity identity(const char* node, unsigned char files, const char* version = "1.0") {
  vrrp::Identity made{.node = node, .version = version, .files = {}};
  made.files.back() = std::byte{files};
  return made;
}

/// lb1, with file 1 in force.
struct Lb1 {
  Agreement agreement;
  Lb1() { agreement.set_own(identity("lb1", 1), start); }

  std::string take_notices(net::Duration after) {
    std::string text;
    for (const auto& notice : agreement.take_notices(start + after)) text += notice.node + ": " + notice.text + "\n";
    return text;
  }
};

}  // namespace

TEST_CASE("directors that agree have nothing to say") {
  Lb1 lb1;
  lb1.agreement.update_peer(identity("lb2", 1), from, start);
  CHECK_FALSE(lb1.agreement.deadline());
  CHECK(lb1.take_notices(1h).empty());
  CHECK(lb1.agreement.difference(lb1.agreement.others().at("lb2")).empty());
}

TEST_CASE("a difference is told once when it has lasted, and its end once") {
  Lb1 lb1;
  lb1.agreement.update_peer(identity("lb2", 2), from, start);
  CHECK(lb1.agreement.deadline() == start + 10s);
  CHECK(lb1.take_notices(9999ms).empty());
  lb1.agreement.update_peer(identity("lb2", 3), from, start + 5s);  // still another one
  CHECK(lb1.take_notices(10s) ==
        "lb2: at 192.168.56.12 has another cluster file in force: 0000000000000003, here it is 0000000000000001\n");
  CHECK_FALSE(lb1.agreement.deadline());
  CHECK(lb1.take_notices(1h).empty());
  lb1.agreement.set_own(identity("lb1", 3), start + 2h);  // it was this node that was behind
  CHECK(lb1.take_notices(2h) ==
        "lb2: has the same cluster file in force again, and runs the same program: 0000000000000003, directord 1.0\n");
  CHECK(lb1.take_notices(3h).empty());
}

TEST_CASE("a reload of one director after the other is not worth a notice") {
  Lb1 lb1;
  lb1.agreement.update_peer(identity("lb2", 1), from, start);
  lb1.agreement.set_own(identity("lb1", 2), start + 1s);
  CHECK(lb1.agreement.deadline() == start + 11s);
  lb1.agreement.update_peer(identity("lb2", 2), from, start + 8s);
  CHECK_FALSE(lb1.agreement.deadline());
  CHECK(lb1.take_notices(1h).empty());
}

TEST_CASE("another version, and another director that takes itself for this node, are differences too") {
  Lb1 lb1;
  lb1.agreement.update_peer(identity("lb2", 1, "1.1"), from, start);
  lb1.agreement.update_peer(identity("lb1", 1), from, start);
  CHECK(lb1.take_notices(10s) ==
        "lb1: at 192.168.56.12 uses the name of this node\nlb2: at 192.168.56.12 runs directord 1.1, here it is 1.0\n");
}

TEST_CASE("what another director calls itself controls no terminal") {
  Lb1 lb1;
  lb1.agreement.update_peer(identity("l\x1b[2Jb\n", 1, "\xc2\x9b\xff\xc3\xbc"), from, start);
  CHECK(lb1.take_notices(10s) ==
        "l\\x1b[2Jb\\n: at 192.168.56.12 runs directord \\xc2\\x9b\\xff\xc3\xbc, here it is 1.0\n");
}

TEST_CASE("whoever has a key fills no memory") {
  Lb1 lb1;
  for (int i = 0; i < 1000; ++i) {
    lb1.agreement.update_peer(identity(std::to_string(i).c_str(), 1), from, start + std::chrono::milliseconds(i));
  }
  CHECK(lb1.agreement.others().size() == 32);
  CHECK(lb1.agreement.others().contains("999"));
}
