#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/import/imported.h"
#include "config/import/keepalived_file.h"

/// The addresses, routes and trackers of keepalived's virtual routers, as the cluster file has them.
namespace config {

/// Reports what could not be carried over, or means something else, with its line in the file.
using Note = std::function<void(int line, std::string_view what)>;

/// A line of virtual_ipaddress: a list's item. Empty where there is no address.
[[nodiscard]] std::string virtual_address(const Statement& line, const std::string& interface, const Note& note);

/// A line of virtual_routes: a list's item. Empty where it cannot be carried over.
[[nodiscard]] std::string virtual_route(const Statement& line, const Note& note);

/// The trackers of a virtual router's track_interface or track_script, of whose scripts `scripts` has the definitions.
[[nodiscard]] std::vector<Imported::Tracker> trackers(const Statement& section,
                                                      std::span<const Statement* const> scripts, const Note& note);

/// A command line as a list: "[/usr/bin/check, --fast]".
[[nodiscard]] std::string command_words(std::string_view line);

}  // namespace config
