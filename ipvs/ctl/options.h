#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// ipvsadm's commands and options: their names, which option goes with which command, and reading them off a line.
///
/// They are read here and not with libpopt, which ipvsadm uses, because restoring rules reads a line for every message:
/// popt took as long over it as the kernel over the message. What popt makes of a line is kept.
namespace ipvs {

enum class Verb : std::uint8_t {
  add_service,
  edit_service,
  delete_service,
  flush,
  restore,
  batch,  ///< restore, but with an exit status that tells of refused lines
  save,
  add_server,
  edit_server,
  delete_server,
  list,
  zero,
  set,
  start_daemon,
  stop_daemon,
  help,
  version,
};

enum class Option : std::uint8_t {
  tcp_service,
  udp_service,
  sctp_service,
  fwmark_service,
  ipv6,
  scheduler,
  persistent,
  netmask,
  persistence_engine,
  scheduler_flags,
  one_packet,
  real_server,
  gatewaying,
  ipip,
  masquerading,
  weight,
  upper_threshold,
  lower_threshold,
  tunnel_type,
  tunnel_port,
  tunnel_nocsum,
  tunnel_csum,
  tunnel_remcsum,
  connection,
  timeout,
  daemon,
  stats,
  rate,
  exact,
  thresholds,
  persistent_connections,
  tunnel_info,
  nosort,
  sort,
  numeric,
  json,
  sync_id,
  sync_maxlen,
  mcast_interface,
  mcast_group,
  mcast_port,
  mcast_ttl,
  last = mcast_ttl,
};

/// Their names on the command line, without dashes.
[[nodiscard]] std::string_view name(Verb verb);
[[nodiscard]] std::string_view name(Option option);

/// The options of one kind are given at most once in all: a service's address, the forwarding method.
[[nodiscard]] std::string_view kind(Option option);

/// Sets of options, a bit each.
using Options = std::uint64_t;
[[nodiscard]] constexpr Options bit(Option option) { return Options{1} << static_cast<unsigned>(option); }

/// The options of this one's kind.
[[nodiscard]] Options same_kind(Option option);

/// The options that the command takes. Every command takes --sort, which does nothing.
[[nodiscard]] Options taken_by(Verb verb);

/// Reads words one option at a time: "-x", "-xVALUE", "-x VALUE", "-xyz" for three without values, "--name",
/// "--name=VALUE", "--name VALUE". "--" ends them. Other words are arguments, wherever they stand.
class Scanner {
 public:
  /// The words live as long as the scanner and what it returns.
  explicit Scanner(std::span<const std::string_view> words) : words_(words) {}

  struct Token {
    std::optional<Verb> verb;
    Option option{};  ///< if there is no verb
    std::optional<std::string_view> value;
    std::string_view word;  ///< where it stands
  };

  /// The next option; nothing after the last. Error: what is wrong with which word.
  std::expected<std::optional<Token>, std::string> next();

  /// The words that are neither options nor their values, of those that next() has passed.
  std::vector<std::string_view> arguments;

 private:
  std::expected<std::optional<Token>, std::string> next_short();
  std::expected<std::optional<Token>, std::string> next_long(std::string_view word);
  std::expected<std::optional<Token>, std::string> with_value(Token token, bool may_be_missing);

  std::span<const std::string_view> words_;
  std::size_t at_ = 0;        ///< of the next word
  std::string_view word_;     ///< the word that is being read
  std::string_view cluster_;  ///< what is left of it, if it is "-xyz"
};

}  // namespace ipvs
