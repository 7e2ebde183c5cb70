// What a jump of a clock, or a recording of an earlier time, does to nodes that sign: nothing.

#include "test/unit/vrrp/signed_world.h"

using namespace vrrp_test;

namespace {

struct Pair : SignedWorld {
  SignedNode &lb1 = nodes[0], &lb2 = nodes[1];

  void start_both() {
    lb1.start();
    lb2.start();
    pass(1500ms);
    REQUIRE(lb1.leads());
    REQUIRE(lb2.follows());
    longest_two = {};
  }
  /// `time` later it leads.
  void hand_over_to_lb2(net::Duration time) {
    REQUIRE(lb1.routers->hand_over("front"));
    pass(time);
    REQUIRE(lb2.leads());
  }
  /// A crash, and so long that its addresses are gone.
  void die(SignedNode& node) {
    node.crash();
    pass(3s);
  }
  /// Plays adverts again, one each 100 ms, as they were sent.
  void play(const std::vector<Recorded>& adverts, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      deliver(adverts.at(i));
      pass(100ms);
    }
  }
};

constexpr auto way_and_back = 4ms;  // and the turns of loops

}  // namespace

TEST_CASE_METHOD(Pair, "clocks that agree or not, from the start: one leads, and both know each other") {
  const auto by = GENERATE(0s, 1s, 3s, 3600s, -3600s, 31536000s);
  INFO(by.count());
  lb2.set_clock(by);
  start_both();
  CHECK(lb1.log == "backup master ");
  CHECK(lb2.log == "backup ");
  CHECK(lb1.replays() + lb2.replays() == 0);
  CHECK(lb1.notices + lb2.notices == "");
  CHECK(lb1.identities == std::set<std::string>{"lb2"});
  CHECK(lb2.identities == std::set<std::string>{"lb1"});
}

TEST_CASE_METHOD(Pair, "a step of a clock in a node's life changes nothing") {
  start_both();
  for (auto* node : {&lb1, &lb2}) {
    for (const auto by : {1h, -2h}) {
      node->set_clock(by);
      pass(2s);
    }
  }
  CHECK(lb1.log == "backup master ");
  CHECK(lb2.log == "backup ");
  CHECK(lb1.replays() + lb2.replays() == 0);
}

TEST_CASE_METHOD(Pair, "a node whose clock is set while it is down leads again, and at no time there are two") {
  const auto by = GENERATE(-3600s, 3600s, -10s, 10s, 0s);
  INFO(by.count());
  start_both();
  die(lb1);
  REQUIRE(lb2.leads());
  lb1.set_clock(by);
  lb1.start();
  pass(2s);
  CHECK(lb1.leads());
  CHECK(lb2.follows());
  CHECK(longest_two <= way_and_back);
  CHECK(lb1.replays() + lb2.replays() == 0);

  // The same of the backup, which then learns of the master.
  lb2.crash();
  pass(1s);
  lb2.set_clock(-by);
  lb2.start();
  pass(2s);
  CHECK(lb2.log == "backup ");
  CHECK(lb1.leads());
  CHECK(longest_two <= way_and_back);
  CHECK(lb1.replays() + lb2.replays() == 0);
}

TEST_CASE_METHOD(Pair, "a master that goes on after a restart with another clock is heard within a round trip") {
  start_both();
  lb1.crash();
  lb1.set_clock(-1h);
  pass(150ms);
  lb1.start();
  pass(2s);
  CHECK(lb1.log == "master ");
  CHECK(lb2.log == "backup ");
  CHECK(lb2.replays() == 0);
}

TEST_CASE_METHOD(Pair, "what a dead node once said does not keep a restarted one from leading") {
  const auto by = GENERATE(0s, -3600s);
  start_both();
  die(lb1);
  die(lb2);
  const auto adverts = adverts_of(lb1);
  lb2.set_clock(by);
  lb2.start();
  play(adverts, 10);
  CHECK(lb2.log == "backup master ");
  CHECK(lb2.status().adverts.received == 0);
  CHECK(lb2.notices == "");  // it waits for an answer, a second long
  play(adverts, 12);
  CHECK(lb2.leads());
  CHECK(lb2.replays() > 5);
  CHECK(lb2.notices.starts_with("advertisement from 10.0.0.1 refused: "));
}

TEST_CASE_METHOD(Pair, "one advert of a dead node does not depose a restarted master") {
  start_both();
  die(lb1);
  REQUIRE(lb2.leads());
  lb2.crash();
  pass(50ms);
  lb2.start();
  REQUIRE(lb2.leads());
  deliver(adverts_of(lb1).back());
  pass(2s);
  CHECK(lb2.log == "master ");
}

TEST_CASE_METHOD(Pair, "an old advert of a node that lives and follows deposes nobody: its answer is no word for it") {
  const auto by = GENERATE(0s, 3600s);
  INFO(by.count());
  lb2.set_clock(by);
  start_both();
  const auto old = adverts_of(lb1);
  pass(3s);
  hand_over_to_lb2(500ms);
  REQUIRE(lb1.follows());
  lb2.crash();
  pass(50ms);
  lb2.start();
  REQUIRE(lb2.leads());
  deliver(old.back());
  pass(2s);
  CHECK(lb2.log == "master ");
  CHECK(lb2.replays() == 1);
}

TEST_CASE_METHOD(Pair, "what was heard a moment ago does not count again") {
  lb2.set_clock(1h);
  start_both();
  const auto last = adverts_of(lb1).back();
  hand_over_to_lb2(200ms);
  deliver(last);
  pass(500ms);
  CHECK(lb2.log == "backup master ");
  CHECK(lb2.replays() == 1);
}

TEST_CASE_METHOD(Pair, "what was signed while a clock was ahead is not believed when it is right again") {
  lb1.set_clock(1h);
  start_both();
  const auto ahead = adverts_of(lb1);
  die(lb1);
  lb1.set_clock(-1h);
  lb1.start();
  pass(1s);
  hand_over_to_lb2(500ms);
  const auto refused = lb2.replays();
  play(ahead, 5);
  CHECK(lb2.leads());
  CHECK(lb2.replays() == refused + 5);
}

TEST_CASE_METHOD(Pair, "a link that loses one direction at a restart makes no two masters where clocks agree") {
  start_both();
  lb1.host.on_send = [send = lb1.host.on_send](const std::string& interface, const auto& packet) {
    if (packet.destination.is_multicast()) send(interface, packet);  // no hello comes through
  };
  lb2.crash();
  pass(3s);
  lb2.set_clock(1s);
  lb2.start();
  pass(3s);
  CHECK(lb2.log == "backup ");
}

TEST_CASE_METHOD(Pair, "where a node does not sign, or cannot say who it is, sequences are compared with the clock") {
  const bool signs = GENERATE(false, true);
  if (!signs) lb2.spec.signing->mode = vrrp::SigningMode::receive_only;
  const auto by = GENERATE(4min, 6min);
  lb2.set_clock(by);
  lb1.spec.signing->mode = vrrp::SigningMode::permissive;
  lb1.start();
  pass(1s);
  lb2.start(!signs);
  pass(1s);
  CHECK((lb2.replays() == 0) == (by == 4min));
  CHECK(lb2.follows() == (by == 4min));
}

TEST_CASE_METHOD(Pair,
                 "who signs with our keys is believed, whatever addresses it lists: ours may be renumbered next") {
  lb1.spec.addresses = {prefix("10.0.0.200/24")};
  start_both();
  CHECK(lb1.leads());
  CHECK(lb2.follows());
}
