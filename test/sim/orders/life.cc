#include "test/sim/orders/life.h"

#include <fmt/format.h>

#include <algorithm>

#include "test/sim/orders/world.h"

namespace order_sim {

using director::EndedOrder;
using director::OrderKind;
using director::Overrides;
using namespace std::chrono_literals;

namespace {

constexpr Duration peace = 2s;  // after the last change, those who can reach each other agree
constexpr Duration heal = 3s;   // after a connection was found dead

/// An operator's order at a random place.
void give(World& world) {
  auto& director = world.directors()[world.below(world.directors().size())];
  if (!director.runs() || director.knows_nothing()) return;
  const auto kind = world.below(3) == 0 ? OrderKind::weight : OrderKind::drain;
  const director::OrderSubject subject{.server = fmt::format("web/web{}", world.below(6)), .kind = kind};
  const auto current = find_order(director.book(), subject);
  const bool stands = current && !std::holds_alternative<EndedOrder>(current->value);
  const auto wall = director.wall(world.now());
  const std::string reason(world.below(4) == 0 ? 900 : 5, 'x');
  if (stands && world.below(2) == 0) {
    world.order(director, {.subject = subject, .value = EndedOrder{.origin = {}, .at = wall}});
    return world.note("an order is taken back");
  }
  if (kind == OrderKind::drain) {
    world.order(director, {.subject = subject, .value = Overrides::Drain{.since = wall, .reason = reason}});
    return world.note("a drain");
  }
  Overrides::Weight weight{.value = static_cast<std::uint32_t>(world.below(100)), .since = wall, .reason = reason};
  if (world.below(2) == 0) weight.until = wall + std::chrono::seconds(1 + world.below(20));
  world.order(director, {.subject = subject, .value = weight});
  world.note(weight.until ? "a weight for a time" : "a weight");
}

void come_or_go(World& world) {
  auto& director = world.directors()[world.below(world.directors().size())];
  if (!director.runs()) return world.start(director);
  world.crash(director);
  world.note("a crash");
  // Whatever the others have is not lost with this one's disk.
  for (const auto& other : world.directors()) {
    if (&other == &director || !director::covers(other.disk().known, director.disk().known) || world.below(4) != 0)
      continue;
    director.lose_disk();
    world.say(director.name() + " loses its disk");
    return world.note("a lost disk");
  }
}

void cut_or_heal(World& world) {
  const auto count = world.directors().size();
  const auto b = 1 + world.below(count - 1), a = world.below(b);
  world.set_link(a, b, !world.link(a, b));
  world.note("a link");
}

void hang_or_mend_disk(World& world) {
  const auto director = world.below(world.directors().size());
  world.set_disk(director, !world.disk_works(director));
  world.note("a disk that hangs, or works again");
}

void suffer(World& world) {
  for (std::size_t i = 5 + world.below(25); i > 0; --i) {
    if (world.below(40) == 0) world.go_on(70s, 500ms);
    const auto what = world.below(11);
    if (what < 6) {
      give(world);
    } else if (what < 8) {
      cut_or_heal(world);
    } else if (what < 10) {
      come_or_go(world);
    } else {
      hang_or_mend_disk(world);
    }
    world.go_on(std::chrono::milliseconds(world.below(4) == 0 ? world.below(3000) : world.below(100)));
  }
}

void live_it(World& world) {
  for (auto& director : world.directors()) world.start(director);
  for (int round = 0; round < 3; ++round) {
    suffer(world);
    world.go_on(heal);
    give(world);
    world.go_on(peace);
    world.check_agreement();
  }
  for (std::size_t i = 0; i < world.directors().size(); ++i) {
    if (!world.directors()[i].runs()) world.start(world.directors()[i]);
    world.set_disk(i, true);
  }
  for (std::size_t b = 1; b < world.directors().size(); ++b) {
    for (std::size_t a = 0; a < b; ++a) world.set_link(a, b, true);
  }
  world.go_on(heal);
  world.check_agreement();
  world.check_nothing_lost();
  world.go_on(90s, 500ms);
  world.check_agreement();
  world.check_nothing_lost();
  world.check_all_forgotten();
}

}  // namespace

Outcome live(std::uint64_t seed, Mutation mutation) {
  World world(seed, mutation);
  try {
    live_it(world);
  } catch (const Violation& violation) {
    world.outcome().broken = violation.what;
  }
  return std::move(world.outcome());
}

}  // namespace order_sim
