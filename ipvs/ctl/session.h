#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "ipvs/ctl/rule_file.h"
#include "ipvs/kernel.h"

namespace ipvs {

/// Does what command lines ask for, on one kernel. What a function returns is the program's exit status: 0, or
/// ipvsadm's: 1 for a service that is not there to be listed, 2 and 255 as UsageError says, 255 if the kernel refuses.
class Session {
 public:
  /// `out` and `err` stay the caller's.
  Session(Kernel& kernel, std::FILE* out, std::FILE* err) : kernel_(kernel), out_(out), err_(err) {}

  /// Any command but restore, batch, help and version.
  int run(const Command& command);

  /// Runs each line that `input` has. Changes are gathered and sent many at a time, so an error may be reported after
  /// later lines were read, but lines take effect in order. As with ipvsadm, what the kernel refuses is reported and
  /// passed over, only a line that is no command ends it, and the status is the last line's. With `strict` it is 1 if
  /// any line was refused.
  int restore(int input, bool strict);

  /// Prints, as rules, what apply() would do; `json`: as {"changes":["RULE", ...]}. 0: nothing; 1: something.
  int diff(std::string_view rules, bool json);

  /// Makes the table what the rules say, changing only what differs. 1: the kernel refused a change.
  int apply(std::string_view rules);

 private:
  int list(const ListOptions& options);
  int list_table(const ListOptions& options);
  int list_table_json(const ListOptions& options);
  int list_connections(const ListOptions& options);
  int save(const ListOptions& options);

  net::Result<std::vector<ServiceRow>> rows(const ListOptions& options);
  net::Result<std::vector<DestinationRow>> destinations(const ServiceKey& key, const ListOptions& options);
  net::Result<std::vector<Op>> changes(std::string_view rules);

  void print(std::string& text);
  int print_error(std::string_view message, int status = 255);

  Kernel& kernel_;
  std::FILE* out_;
  std::FILE* err_;
};

/// What the operator may do about an op that was refused with `code`: "; use -e to change it", or nothing.
[[nodiscard]] std::string_view hint(const Op& op, int code);

}  // namespace ipvs
