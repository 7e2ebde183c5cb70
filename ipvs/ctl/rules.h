#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>

#include "ipvs/ctl/options.h"
#include "ipvs/op.h"

/// ipvsadm's language: one command line, of the shell or of a rules file, and what it asks for.
namespace ipvs {

/// What a listing shows of each destination.
enum class View : std::uint8_t { plain, stats, rate, thresholds, persistent, tunnel, connections, timeouts, daemons };

struct ListOptions {
  View view = View::plain;
  std::optional<ServiceKey> service{};  ///< only this one
  bool numeric = false;                 ///< no names of hosts and ports
  bool exact = false;                   ///< no K, M, G or T
  bool nosort = false;                  ///< the kernel's order
  bool json = false;
  bool persistence_data = false;  ///< of connections
};

struct Command {
  Verb verb = Verb::list;
  std::optional<Op> op{};  ///< what it changes, if it is a verb that changes the table
  ListOptions list{};      ///< of list and save
};

/// Why a command line is wrong. `status` is the exit status that ipvsadm has for it.
struct UsageError {
  int status = 2;  ///< 2: a wrong option or value; 255: nothing that could be read as a command
  std::string message;
};

/// Reads a command line, without the program's name. Hosts and ports are looked up, unless they are numeric.
[[nodiscard]] std::expected<Command, UsageError> parse_command(std::span<const std::string_view> words);

}  // namespace ipvs
