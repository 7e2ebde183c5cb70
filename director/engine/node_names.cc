#include "director/engine/node_names.h"

#include <fmt/format.h>

#include <algorithm>

namespace director {

std::string called(const net::Address& address, const NodeNames& names) {
  const auto found = names.find(address);
  return found == names.end() ? net::to_string(address)
                              : fmt::format("{} ({})", found->second, net::to_string(address));
}

std::string with_names(std::string_view text, const NodeNames& names) {
  std::string named;
  for (;;) {
    // Whole words: "192.0.2.1" is not in "192.0.2.10", nor in "192.0.2.1/24".
    const auto end = std::min(text.find_first_of(" ,;()"), text.size());
    const auto word = text.substr(0, end);
    const auto colon = word.ends_with(':') && !word.ends_with("::") ? 1U : 0U;  // it ends a clause
    const auto bare = word.substr(0, word.size() - colon);
    const auto address = net::Address::parse(bare);
    named += address ? called(*address, names) : std::string(bare);
    named += word.substr(bare.size());
    if (end == text.size()) return named;
    named += text[end];
    text.remove_prefix(end + 1);
  }
}

}  // namespace director
