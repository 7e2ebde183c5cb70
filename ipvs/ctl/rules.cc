// What a line's options mean together, once each has its place in a Draft. The order in which ipvsadm checks is kept
// where its exit status would tell.
#include "ipvs/ctl/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <vector>

#include "ipvs/ctl/draft.h"
#include "ipvs/ctl/rule_text.h"

namespace ipvs {

namespace {

Parsed<> set_flags(Draft& draft) {
  struct Name {
    std::string_view name, scheduler;
    std::uint32_t flag;
  };
  static constexpr Name names[] = {{"flag-1", "", flag::sched1},    {"flag-2", "", flag::sched2},
                                   {"flag-3", "", flag::sched3},    {"sh-fallback", "sh", flag::sched1},
                                   {"sh-port", "sh", flag::sched2}, {"mh-fallback", "mh", flag::sched1},
                                   {"mh-port", "mh", flag::sched2}};
  for (std::string_view rest = draft.flags; !rest.empty();) {
    const std::string_view word = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    if (word.empty()) continue;
    const auto* known = std::ranges::find(names, word, &Name::name);
    if (known == std::end(names)) return wrong("invalid scheduler flag `{}'", word);
    if (!known->scheduler.empty() && known->scheduler != draft.service.scheduler) {
      return wrong("incompatible scheduler flag `{}': it belongs to the scheduler {}", word, known->scheduler);
    }
    draft.service.flags |= known->flag;
  }
  return {};
}

Parsed<> check_service(Draft& draft) {
  if (auto set = set_flags(draft); !set) return set;
  if (draft.has(Option::one_packet) && draft.key.protocol != Protocol::udp && draft.key.fwmark == 0) {
    return wrong("One-Packet Scheduling is only for UDP virtual services");
  }
  if (draft.key.fwmark == 0 && draft.key.endpoint.port == 0 && !draft.has(Option::persistent)) {
    return wrong("Zero port specified for non-persistent service");
  }
  if (!draft.has(Option::persistent)) {
    draft.service.mask_length = 0;
    draft.service.raw_mask.reset();
  }
  return {};
}

Parsed<> check_tunnel(const Draft& draft) {
  using enum Option;
  constexpr Option checksums[] = {tunnel_nocsum, tunnel_csum, tunnel_remcsum};
  bool any = draft.has(tunnel_type) || draft.has(tunnel_port);
  std::optional<Option> checksum;
  const Tunnel::Type type = draft.destination.tunnel.type;
  const std::string_view type_name = to_string(type);
  for (const Option option : checksums) {
    if (!draft.has(option)) continue;
    any = true;
    if (checksum) {
      return wrong("The option '{}' conflicts with the '{}' option in the '{}' tunnel type", name(option),
                   name(*checksum), type_name);
    }
    checksum = option;
  }
  if (any && draft.destination.forward != Forward::tunnel) {
    return wrong("Tunnel options conflict with forward method: they need -i");
  }
  if (type == Tunnel::Type::gue && !draft.has(tunnel_port)) {
    return wrong("You need to supply the 'tun-port' option for the 'gue' tunnel type");
  }
  if (type != Tunnel::Type::gue && draft.has(tunnel_port)) {
    return wrong("Illegal 'tun-port' option with the '{}' tunnel type", type_name);
  }
  const bool illegal = type == Tunnel::Type::ipip || (type == Tunnel::Type::gre && checksum == tunnel_remcsum);
  if (checksum && illegal) return wrong("Illegal '{}' option with the '{}' tunnel type", name(*checksum), type_name);
  return {};
}

/// Where the packets go: only NAT can change the port, so the others always keep the service's. What is deleted is
/// named as it is.
DestinationKey destination_key(Verb verb, const Draft& draft) {
  const bool keeps_port =
      verb != Verb::delete_server && draft.key.fwmark == 0 && draft.destination.forward != Forward::nat;
  const std::uint16_t port =
      keeps_port ? draft.key.endpoint.port : draft.server->port.value_or(draft.key.endpoint.port);
  return {.endpoint = {.address = draft.server->address, .port = port}};
}

Parsed<> check_families(const Draft& draft) {
  if (draft.server->address.family() == draft.key.family() || draft.destination.forward == Forward::tunnel) return {};
  return wrong("Different address family is allowed only for tunneling servers: -i");
}

Parsed<> check_options(Verb verb, const Draft& draft) {
  if (const Options illegal = draft.given & ~taken_by(verb)) {
    const auto first = static_cast<Option>(std::countr_zero(illegal));
    return wrong("Illegal '{}' option with the '{}' command", kind(first), name(verb));
  }
  const bool speaks_of_service =
      (taken_by(verb) & bit(Option::tcp_service)) && verb != Verb::list && verb != Verb::zero;
  if (speaks_of_service && !draft.has_service()) {
    return wrong("You need to supply the 'service-address' option for the '{}' command", name(verb));
  }
  if ((taken_by(verb) & bit(Option::real_server)) && !draft.server) {
    return wrong("You need to supply the 'real-server' option for the '{}' command", name(verb));
  }
  return {};
}

/// Which of the views that were asked for is shown, unless they exclude each other.
Parsed<View> choose_view(const Draft& draft) {
  using enum Option;
  struct Choice {
    Option option;
    View view;
  };
  static constexpr Choice alone[] = {
      {connection, View::connections}, {timeout, View::timeouts}, {daemon, View::daemons}};
  static constexpr Choice tables[] = {{stats, View::stats},
                                      {rate, View::rate},
                                      {thresholds, View::thresholds},
                                      {persistent_connections, View::persistent},
                                      {tunnel_info, View::tunnel}};
  const Choice* chosen = nullptr;
  for (const Choice& choice : alone) {
    if (!draft.has(choice.option)) continue;
    if (chosen || draft.has_service()) {
      return wrong("The option '{}' conflicts with the '{}' option in the 'list' command", name(choice.option),
                   chosen ? name(chosen->option) : "service-address");
    }
    chosen = &choice;
  }
  for (const Choice& choice : tables) {
    if (!draft.has(choice.option)) continue;
    const bool allowed = !chosen || choice.option == tunnel_info ||
                         (choice.option == persistent_connections && chosen->view == View::connections);
    if (!allowed) return wrong("options conflicts in the list command: '{}'", name(choice.option));
    if (!chosen) return choice.view;
  }
  return chosen ? chosen->view : View::plain;
}

/// The values after --set, taken off the arguments.
Parsed<Timeouts> parse_timeouts(std::vector<std::string_view>& arguments) {
  if (arguments.size() < 3) return wrong("--set option requires 3 timeout values: tcp, tcpfin and udp, in seconds");
  std::uint32_t values[3];
  for (std::size_t i = 0; i < 3; ++i) {
    const auto value = parse_number(arguments[i], 0, longest_timeout);
    if (!value)
      return wrong("invalid timeout value `{}' specified: expected seconds, 0..{}", arguments[i], longest_timeout);
    values[i] = *value;
  }
  arguments.erase(arguments.begin(), arguments.begin() + 3);
  using std::chrono::seconds;
  return Timeouts{.tcp = seconds(values[0]), .tcp_fin = seconds(values[1]), .udp = seconds(values[2])};
}

Parsed<Daemon::State> parse_state(std::string_view text, Verb verb) {
  if (text == "master") return Daemon::State::master;
  if (text == "backup") return Daemon::State::backup;
  return wrong("illegal {} parameter specified: `{}' is neither master nor backup", name(verb), text);
}

/// The op of a verb that changes the table; nothing for the others.
Parsed<std::optional<Op>> make_op(Verb verb, Draft& draft) {
  switch (verb) {
    case Verb::add_service:
    case Verb::edit_service:
      if (auto checked = check_service(draft); !checked) return std::unexpected(checked.error());
      if (verb == Verb::add_service) return AddService{draft.key, draft.service};
      return SetService{draft.key, draft.service};
    case Verb::delete_service:
      return RemoveService{draft.key};
    case Verb::add_server:
    case Verb::edit_server:
      if (auto checked = check_tunnel(draft); !checked) return std::unexpected(checked.error());
      if (auto checked = check_families(draft); !checked) return std::unexpected(checked.error());
      if (verb == Verb::add_server) return AddDestination{draft.key, destination_key(verb, draft), draft.destination};
      return SetDestination{draft.key, destination_key(verb, draft), draft.destination};
    case Verb::delete_server:
      return RemoveDestination{draft.key, destination_key(verb, draft)};
    case Verb::zero:
      return Zero{draft.has_service() ? std::optional(draft.key) : std::nullopt};
    case Verb::flush:
      return Flush{};
    case Verb::start_daemon:
      return StartDaemon{draft.daemon};
    case Verb::stop_daemon:
      return StopDaemon{draft.daemon.state};
    default:
      return std::nullopt;
  }
}

std::unexpected<UsageError> not_readable(std::string message) {
  return std::unexpected(UsageError{.status = 255, .message = std::move(message)});
}

}  // namespace

std::expected<Command, UsageError> parse_command(std::span<const std::string_view> words) {
  Scanner scanner(words);
  const auto first = scanner.next();
  if (!first) return not_readable(first.error());
  if (!*first || !(*first)->verb) return not_readable("no command; ipvsctl -h lists them");
  Command command{.verb = *(*first)->verb, .op = {}, .list = {}};
  if (command.verb == Verb::help || command.verb == Verb::version) return command;
  Draft draft;
  if (command.verb == Verb::start_daemon || command.verb == Verb::stop_daemon) {
    const auto state = parse_state((*first)->value.value_or(""), command.verb);
    if (!state) return std::unexpected(state.error());
    draft.daemon.state = *state;
    draft.daemon.interface = "eth0";  // ipvsadm's, unless another is named
  }
  while (true) {
    const auto token = scanner.next();
    if (!token) return not_readable(token.error());
    if (!*token) break;
    if ((*token)->verb) return wrong("invalid option `{}': only one command is allowed", (*token)->word);
    if (auto set = draft.set((*token)->option, (*token)->value); !set) return std::unexpected(set.error());
  }
  if (command.verb == Verb::set) {
    const auto timeouts = parse_timeouts(scanner.arguments);
    if (!timeouts) return std::unexpected(timeouts.error());
    command.op = SetTimeouts{*timeouts};
  }
  if (!scanner.arguments.empty()) return wrong("unexpected argument {}", scanner.arguments.front());
  if (auto checked = check_options(command.verb, draft); !checked) return std::unexpected(checked.error());
  if (command.verb == Verb::list) {
    const auto view = choose_view(draft);
    if (!view) return std::unexpected(view.error());
    draft.list.view = *view;
    draft.list.persistence_data = draft.has(Option::persistent_connections);
    if (draft.has_service()) draft.list.service = draft.key;
  }
  command.list = draft.list;
  if (!command.op) {
    auto op = make_op(command.verb, draft);
    if (!op) return std::unexpected(op.error());
    command.op = std::move(*op);
  }
  return command;
}

}  // namespace ipvs
