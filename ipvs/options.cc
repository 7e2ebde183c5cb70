#include "ipvs/options.h"

#include <initializer_list>
#include <utility>

namespace ipvs {

namespace {

constexpr poptOption entry(const char* long_name, char short_name, int argument, int value) {
  return {long_name, short_name, static_cast<unsigned>(argument), nullptr, value, nullptr, nullptr};
}

constexpr poptOption verb(const char* long_name, char short_name, Verb verb, int argument = POPT_ARG_NONE) {
  return entry(long_name, short_name, argument, first_verb + static_cast<int>(verb));
}

constexpr poptOption option(const char* long_name, char short_name, Option option, int argument = POPT_ARG_NONE) {
  return entry(long_name, short_name, argument, 1 + static_cast<int>(option));
}

constexpr int text = POPT_ARG_STRING;

}  // namespace

const poptOption option_table[] = {
    verb("add-service", 'A', Verb::add_service),
    verb("edit-service", 'E', Verb::edit_service),
    verb("delete-service", 'D', Verb::delete_service),
    verb("clear", 'C', Verb::flush),
    verb("restore", 'R', Verb::restore),
    verb("batch", '\0', Verb::batch),
    verb("save", 'S', Verb::save),
    verb("add-server", 'a', Verb::add_server),
    verb("edit-server", 'e', Verb::edit_server),
    verb("delete-server", 'd', Verb::delete_server),
    verb("list", 'L', Verb::list),
    verb(nullptr, 'l', Verb::list),
    verb("zero", 'Z', Verb::zero),
    verb("set", '\0', Verb::set),
    verb("start-daemon", '\0', Verb::start_daemon, text),
    verb("stop-daemon", '\0', Verb::stop_daemon, text),
    verb("help", 'h', Verb::help),
    verb("version", 'v', Verb::version),

    option("tcp-service", 't', Option::tcp_service, text),
    option("udp-service", 'u', Option::udp_service, text),
    option("sctp-service", '\0', Option::sctp_service, text),
    option("fwmark-service", 'f', Option::fwmark_service, text),
    option("ipv6", '6', Option::ipv6),
    option("scheduler", 's', Option::scheduler, text),
    option("persistent", 'p', Option::persistent, text | static_cast<int>(POPT_ARGFLAG_OPTIONAL)),
    option("netmask", 'M', Option::netmask, text),
    option("pe", '\0', Option::persistence_engine, text),
    option("sched-flags", 'b', Option::scheduler_flags, text),
    option("ops", 'o', Option::one_packet),
    option("real-server", 'r', Option::real_server, text),
    option("gatewaying", 'g', Option::gatewaying),
    option("ipip", 'i', Option::ipip),
    option("masquerading", 'm', Option::masquerading),
    option("weight", 'w', Option::weight, text),
    option("u-threshold", 'x', Option::upper_threshold, text),
    option("l-threshold", 'y', Option::lower_threshold, text),
    option("tun-type", '\0', Option::tunnel_type, text),
    option("tun-port", '\0', Option::tunnel_port, text),
    option("tun-nocsum", '\0', Option::tunnel_nocsum),
    option("tun-csum", '\0', Option::tunnel_csum),
    option("tun-remcsum", '\0', Option::tunnel_remcsum),
    option("connection", 'c', Option::connection),
    option("timeout", '\0', Option::timeout),
    option("daemon", '\0', Option::daemon),
    option("stats", '\0', Option::stats),
    option("rate", '\0', Option::rate),
    option("exact", '\0', Option::exact),
    option("thresholds", '\0', Option::thresholds),
    option("persistent-conn", '\0', Option::persistent_connections),
    option("tun-info", '\0', Option::tunnel_info),
    option("nosort", '\0', Option::nosort),
    option("sort", '\0', Option::sort),
    option("numeric", 'n', Option::numeric),
    option("json", '\0', Option::json),
    option("syncid", '\0', Option::sync_id, text),
    option("sync-maxlen", '\0', Option::sync_maxlen, text),
    option("mcast-interface", '\0', Option::mcast_interface, text),
    option("mcast-group", '\0', Option::mcast_group, text),
    option("mcast-port", '\0', Option::mcast_port, text),
    option("mcast-ttl", '\0', Option::mcast_ttl, text),
    POPT_TABLEEND,
};

namespace {

std::string_view name_of(int value) {
  for (const poptOption* entry = option_table; entry->longName || entry->shortName; ++entry) {
    if (entry->val == value && entry->longName) return entry->longName;
  }
  std::unreachable();
}

bool is_service_address(Option option) { return option <= Option::fwmark_service; }
bool is_forwarding_method(Option option) { return option >= Option::gatewaying && option <= Option::masquerading; }
bool is_tunnel_option(Option option) { return option >= Option::tunnel_type && option <= Option::tunnel_remcsum; }

bool is_one_of(Option option, std::initializer_list<Option> options) {
  for (const Option candidate : options) {
    if (candidate == option) return true;
  }
  return false;
}

}  // namespace

std::string_view name(Verb verb) { return name_of(first_verb + static_cast<int>(verb)); }
std::string_view name(Option option) { return name_of(1 + static_cast<int>(option)); }

std::string_view kind(Option option) {
  if (is_service_address(option)) return "service-address";
  return is_forwarding_method(option) ? "forwarding-method" : name(option);
}

bool takes(Verb verb, Option option) {
  using enum Option;
  if (option == sort) return true;
  const bool of_service = is_service_address(option) || option == ipv6;
  switch (verb) {
    case Verb::add_service:
    case Verb::edit_service:
      return of_service || (option >= scheduler && option <= one_packet);
    case Verb::delete_service:
    case Verb::zero:
      return of_service;
    case Verb::add_server:
    case Verb::edit_server:
      return of_service || (option >= real_server && option <= lower_threshold) || is_tunnel_option(option);
    case Verb::delete_server:
      return of_service || option == real_server;
    case Verb::list:
      return of_service || (option >= connection && option <= json) || option == sync_id;
    case Verb::save:
      return is_one_of(option, {numeric, json});
    case Verb::start_daemon:
      return option >= sync_id;
    case Verb::stop_daemon:
      return option == sync_id;
    case Verb::flush:
    case Verb::restore:
    case Verb::batch:
    case Verb::set:
    case Verb::help:
    case Verb::version:
      return false;
  }
  return false;
}

}  // namespace ipvs
