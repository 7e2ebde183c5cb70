#pragma once

#include <map>
#include <string>
#include <string_view>

#include "net/address.h"

/// The virtual routers know other directors by the source addresses of their advertisements; people know them by the
/// names that the cluster file gives them. Pure.
namespace director {

using NodeNames = std::map<net::Address, std::string>;

/// "lb2 (192.0.2.12)", or the address alone where it is no node's.
[[nodiscard]] std::string called(const net::Address& address, const NodeNames& names);

/// `text` with each address of a node in it called so.
[[nodiscard]] std::string with_names(std::string_view text, const NodeNames& names);

}  // namespace director
