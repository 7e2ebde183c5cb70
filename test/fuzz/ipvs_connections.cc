// /proc/net/ip_vs_conn.
#include "ipvs/ctl/connections.h"
#include "ipvs/ctl/json.h"
#include "test/fuzz/target.h"

using namespace ipvs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::as_text(data, size);
  NameResolver namer(true);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const auto connection = parse_connection(text.substr(at, end - at));
    at = end + 1;
    if (!connection) continue;
    append_connection(out, *connection, true, namer);
    (void)to_json(*connection);
  }
  return 0;
}
