// Files of ipvsadm's rules.
#include <netdb.h>

#include "ipvs/ctl/rule_file.h"
#include "ipvs/ctl/rule_text.h"
#include "test/fuzz/target.h"

using namespace ipvs;

// No name is looked up: the input may not make this process speak to anybody.
extern "C" int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**) { return EAI_NONAME; }
extern "C" servent* getservbyname(const char*, const char*) { return nullptr; }

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::as_text(data, size);
  NameResolver namer(true);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const auto command = parse_rule(text.substr(at, end - at));
    at = end + 1;
    if (!command || !*command || !(*command)->op) continue;
    std::string rule;
    append_rule(rule, *(*command)->op, namer);
    const auto again = parse_rule(rule);
    fuzz::require(again && *again && (*again)->op == (*command)->op, "a rule is written as it is read");
  }
  (void)read_desired(text);
  return 0;
}
