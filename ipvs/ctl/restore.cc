// ipvsadm asks the kernel line by line, each with a socket of its own. Here the changes that lines ask for are gathered
// until there are as many as one send carries, or until a line asks for something else.
#include <fmt/format.h>

#include <cstring>

#include "ipvs/ctl/lines.h"
#include "ipvs/ctl/session.h"

namespace ipvs {

namespace {

constexpr std::size_t ops_at_once = 128;

}  // namespace

int Session::restore(int input, bool strict) {
  std::vector<Op> ops;
  std::vector<int> numbers;  // of the ops' lines
  bool refused = false;
  bool last_refused = false;
  const auto send = [&]() -> int {
    if (ops.empty()) return 0;
    const auto refusals = kernel_.apply(ops);
    if (!refusals) return print_error(refusals.error().message);
    for (const auto& [index, error] : *refusals) {
      print_error(fmt::format("line {}: {}{}", numbers[index], error.message, hint(ops[index], error.code)));
      refused = true;
    }
    last_refused = !refusals->empty() && refusals->back().index + 1 == ops.size();
    ops.clear();
    numbers.clear();
    return 0;
  };

  Lines lines(input);
  std::string line;
  for (int number = 1; lines.next(line); ++number) {
    auto command = parse_rule(line);
    if (command && !*command) continue;
    if (command && (*command)->op) {
      ops.push_back(std::move(*(*command)->op));
      numbers.push_back(number);
      if (ops.size() < ops_at_once) continue;
    }
    if (const int status = send()) return status;
    if (!command)
      return print_error(fmt::format("line {}: {}", number, command.error().message), command.error().status);
    if ((*command)->op) continue;
    const Verb verb = (*command)->verb;
    if (verb != Verb::list && verb != Verb::save) {
      return print_error(fmt::format("line {}: '{}' is not allowed in rules", number, name(verb)));
    }
    if (const int status = run(**command)) return status;
    last_refused = false;
  }
  if (lines.error()) return print_error(fmt::format("cannot read the rules: {}", std::strerror(lines.error())));
  if (const int status = send()) return status;
  if (strict) return refused ? 1 : 0;
  return last_refused ? 255 : 0;
}

}  // namespace ipvs
