#pragma once

#include <string>

#include "ipvs/ctl/names.h"
#include "ipvs/op.h"

namespace ipvs {

/// Appends the op as a line of a rules file, in the words and the order of `ipvsadm -S`, which `-R` of both programs
/// reads: "-a -t 192.0.2.1:80 -r 10.0.0.7:80 -m -w 3\n".
void append_rule(std::string& out, const Op& op, NameResolver& namer);

/// "flag-1,flag-3", or by the scheduler's own names: "sh-fallback,sh-port".
[[nodiscard]] std::string scheduler_flags(const Service& service);

/// What -M says: "255.255.255.0", "64"; empty for the whole address.
[[nodiscard]] std::string netmask(const Service& service, net::Family family);

/// "ipip", "gue", "gre".
[[nodiscard]] std::string_view to_string(Tunnel::Type type);

}  // namespace ipvs
