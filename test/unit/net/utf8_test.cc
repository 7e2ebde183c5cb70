#include "net/utf8.h"

#include "test/catch.h"

using net::printable;

TEST_CASE("text of others cannot begin a line, nor control a terminal") {
  CHECK(printable("disk change, rack 4") == "disk change, rack 4");
  CHECK(printable("a\nb\r\tc") == "a\\nb\\r\\tc");
  CHECK(printable("\x1b[2J\x07\x7f") == "\\x1b[2J\\x07\\x7f");
  CHECK(printable(std::string_view("\0", 1)) == "\\x00");
  CHECK(printable("\xc2\x9b"
                  "2J") ==
        "\\xc2\\x9b"
        "2J");  // C1's CSI
}

TEST_CASE("other languages stay readable, what is no UTF-8 is told byte by byte") {
  CHECK(printable("Wartung für Müller, 保守, 🔧") == "Wartung für Müller, 保守, 🔧");
  CHECK(printable("\xff\xc3") == "\\xff\\xc3");
  CHECK(printable("C:\\new") == "C:\\new");
  CHECK(printable(printable("a\n\xff")) == printable("a\n\xff"));
  CHECK(printable("").empty());
}
