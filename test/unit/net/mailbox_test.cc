#include "net/mailbox.h"

#include <memory>
#include <thread>
#include <vector>

#include "test/catch.h"

using net::Mailbox;

namespace {

struct World {
  net::Loop loop = net::Loop::create().value();
  std::unique_ptr<Mailbox> mailbox = Mailbox::create(loop).value();
};

}  // namespace

TEST_CASE("what a thread posts is done on the loop, in its order") {
  World world;
  std::vector<int> done;
  std::jthread other([&, sender = world.mailbox->sender()] {
    for (int i = 0; i < 1000; ++i) sender.post([&done, i] { done.push_back(i); });
  });
  while (done.size() < 1000) REQUIRE(world.loop.turn(std::chrono::seconds(5)));
  for (int i = 0; i < 1000; ++i) CHECK(done[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("what a task posts is done in a later turn") {
  World world;
  int count = 0;
  world.mailbox->sender().post([&] {
    ++count;
    world.mailbox->sender().post([&] { ++count; });
  });
  REQUIRE(world.loop.turn({}));
  CHECK(count == 1);
  REQUIRE(world.loop.turn({}));
  CHECK(count == 2);
}

TEST_CASE("a task may end the mailbox; what comes after that is dropped") {
  World world;
  int count = 0;
  const auto owned = std::make_shared<int>(1);
  const auto sender = world.mailbox->sender();
  sender.post([&] { world.mailbox.reset(); });
  REQUIRE(world.loop.turn({}));
  sender.post([&count, owned] { ++count; });
  REQUIRE(world.loop.turn({}));
  CHECK(count == 0);
  CHECK(owned.use_count() == 1);
}

TEST_CASE("a mailbox that ends drops what it has, which may post to it") {
  World world;
  struct Posts {
    Mailbox::Sender sender;
    ~Posts() {
      sender.post([] {});
    }
  };
  const auto sender = world.mailbox->sender();
  sender.post([held = std::make_unique<Posts>(Posts{sender})] {});
  world.mailbox.reset();
  REQUIRE(world.loop.turn({}));
}
