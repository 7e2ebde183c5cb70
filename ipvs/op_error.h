#pragma once

#include <optional>
#include <string_view>

#include "ipvs/op.h"
#include "net/error.h"

namespace ipvs {

/// The error of an op that the kernel refused with errno `code`: "add 10.0.0.7:80 to tcp 192.0.2.1:80: it already
/// exists". The cause is said in terms of the table where the errno has but one meaning for this op, and with what to
/// do about it where that is known.
[[nodiscard]] net::Error op_error(const Op& op, int code);

/// What an errno means and what to do about it, whatever was asked for: EPERM, EAFNOSUPPORT; else nothing.
[[nodiscard]] std::optional<std::string_view> general_cause(int code);

}  // namespace ipvs
