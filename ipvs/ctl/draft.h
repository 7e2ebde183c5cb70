#pragma once

#include <fmt/format.h>

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "ipvs/ctl/names.h"
#include "ipvs/ctl/options.h"
#include "ipvs/ctl/rules.h"

/// A command line while its options are being read.
namespace ipvs {

inline constexpr std::uint32_t longest_timeout = 31 * 24 * 3600;  ///< ipvsadm's, in seconds

template <class T = void>
using Parsed = std::expected<T, UsageError>;

/// A wrong option or value.
template <class... Args>
std::unexpected<UsageError> wrong(fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(UsageError{.status = 2, .message = fmt::format(format, std::forward<Args>(args)...)});
}

/// Options are read in order, each into its place here, because what -M and -6 mean depends on what came before.
struct Draft {
  Options given = 0;
  ServiceKey key;
  Service service;
  std::optional<Target> server;
  Destination destination{.forward = Forward::route};
  std::string flags;  ///< names, checked when the scheduler is known
  Daemon daemon;
  ListOptions list;

  [[nodiscard]] bool has(Option option) const { return given & bit(option); }
  [[nodiscard]] bool has_service() const { return given & same_kind(Option::tcp_service); }

  /// Errors: a second option of the kind, a value that is none for it.
  Parsed<> set(Option option, std::optional<std::string_view> value);

 private:
  Parsed<> set_service(Option option, std::optional<std::string_view> value);
  Parsed<> set_server(Option option, std::string_view argument);
  Parsed<> set_daemon(Option option, std::string_view argument);
  void set_listing(Option option);

  Parsed<> set_key(Protocol protocol, std::string_view argument);
  Parsed<> set_netmask(std::string_view argument);
  Parsed<> set_tunnel_type(std::string_view type);
};

}  // namespace ipvs
