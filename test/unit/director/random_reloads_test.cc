#include "random_reloads.h"

#include "ipvs/memory_kernel.h"
#include "scratch.h"

TEST_CASE("whatever files follow each other, and wherever the director dies, the kernel holds what the last one says") {
  int crashes = 0;
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    const director_test::Scratch scratch;
    ipvs::MemoryKernel kernel;
    crashes += director_test::run_random_reloads(kernel, scratch.path, seed, 25);
  }
  CHECK(crashes > 200);  // else the crashes came when all was done
}
