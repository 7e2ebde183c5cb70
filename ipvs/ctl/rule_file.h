#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipvs/ctl/rules.h"
#include "ipvs/memory_kernel.h"

/// Files of ipvsadm's command lines, as `ipvsadm -S` writes them and administrators do.
namespace ipvs {

/// Reads a line; nothing if it says nothing: it is empty, or begins with '#'. A first word "ipvsadm" or "ipvsctl" is
/// skipped; there is no quoting.
[[nodiscard]] std::expected<std::optional<Command>, UsageError> parse_rule(std::string_view line);

/// What a kernel that held nothing would hold after the file.
struct Desired {
  Table table;
  std::optional<Timeouts> timeouts;
  std::vector<Daemon> daemons;  ///< as the file says them: without the kernel's defaults
};

/// Errors name the line: "line 3: ...". Only commands that change the table may be there.
[[nodiscard]] net::Result<Desired> read_desired(std::string_view text);

/// Whether what runs is what a file says, which may leave values to the kernel.
[[nodiscard]] bool matches(const Timeouts& actual, const Timeouts& wanted);
[[nodiscard]] bool matches(const Daemon& actual, const Daemon& wanted);

}  // namespace ipvs
