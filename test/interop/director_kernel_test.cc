// The director over the real kernel: random files, reloads, restarts, and a death between any two messages.

#include "ipvs/netlink_kernel.h"
#include "test/interop/namespace.h"
#include "test/unit/director/random_reloads.h"
#include "test/unit/director/scratch.h"

TEST_CASE("the real kernel holds what the last file says, wherever the director died") {
  int crashes = 0;
  for (std::uint32_t seed = 1001; seed <= 1010; ++seed) {
    enter_fresh_namespace();
    auto kernel = ipvs::NetlinkKernel::open();
    if (!kernel) FAIL(kernel.error().message);
    const director_test::Scratch scratch;
    crashes += director_test::run_random_reloads(*kernel, scratch.path, seed, 25);
  }
  CHECK(crashes > 30);
}
