#include "config/fingerprint.h"

#include "config/load.h"
#include "test/catch.h"

namespace {

std::string hex(const std::array<std::byte, 8>& bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    for (const auto digit : {byte >> 4, byte & std::byte{15}}) {
      text += "0123456789abcdef"[std::to_integer<std::size_t>(digit)];
    }
  }
  return text;
}

}  // namespace

TEST_CASE("a fingerprint is of the bytes that were read, file by file, whatever the files are called") {
  // Computed apart from this code, with Python's hashlib.
  CHECK(hex(config::fingerprint({{.name = "a.yaml", .text = "cluster: shop\n"}})) == "a03f87afe370be56");
  CHECK(hex(config::fingerprint({{.name = "b.yaml", .text = "cluster: "}, {.name = "c", .text = "shop\n"}})) ==
        "a9e01edb4152d1cc");
  CHECK(hex(config::fingerprint({{.name = "b.yaml", .text = "cluster: sh"}, {.name = "c", .text = "op\n"}})) ==
        "ba5717ce739bc554");
}

TEST_CASE("a cluster has the fingerprint of its file, to the last comment") {
  const std::string text =
      "cluster: shop\nservices: { web: { listen: 192.0.2.1:80, servers: { web1: { address: 192.0.2.2 } } } }\n";
  const auto loaded = config::load_text("a.yaml", text);
  const auto commented = config::load_text("a.yaml", text + "# a word\n");
  REQUIRE(loaded);
  REQUIRE(commented);
  CHECK(loaded->cluster.fingerprint == config::fingerprint({{.name = "b.yaml", .text = text}}));
  CHECK(loaded->cluster.fingerprint != commented->cluster.fingerprint);
}
