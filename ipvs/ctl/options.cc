#include "ipvs/ctl/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "net/check.h"

namespace ipvs {

namespace {

/// A verb or an option as it is written.
struct Entry {
  std::string_view name;
  char letter = '\0';  ///< if it has one
  std::optional<Verb> verb;
  Option option{};
  enum class Value : std::uint8_t { none, needed, optional } value = Value::none;
};

constexpr Entry verb(std::string_view name, char letter, Verb verb, Entry::Value value = Entry::Value::none) {
  return {.name = name, .letter = letter, .verb = verb, .option = {}, .value = value};
}

constexpr Entry option(std::string_view name, char letter, Option option, Entry::Value value = Entry::Value::none) {
  return {.name = name, .letter = letter, .verb = {}, .option = option, .value = value};
}

constexpr auto text = Entry::Value::needed;

constexpr Entry entries[] = {
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
    verb("list", 'l', Verb::list),
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
    option("persistent", 'p', Option::persistent, Entry::Value::optional),
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
};

/// Which entry a letter means; one behind the last for none.
constexpr auto letters = [] {
  std::array<std::uint8_t, 128> places{};
  places.fill(std::size(entries));
  for (std::size_t i = 0; i < std::size(entries); ++i) {
    if (entries[i].letter) places[static_cast<unsigned char>(entries[i].letter)] = static_cast<std::uint8_t>(i);
  }
  return places;
}();

constexpr Options range(Option first, Option last) { return (bit(last) << 1) - bit(first); }

constexpr Options service_addresses = range(Option::tcp_service, Option::fwmark_service);
constexpr Options forwarding_methods = range(Option::gatewaying, Option::masquerading);

constexpr Options options_of(Verb verb) {
  using enum Option;
  constexpr Options service = service_addresses | bit(ipv6);
  switch (verb) {
    case Verb::add_service:
    case Verb::edit_service:
      return service | range(scheduler, one_packet);
    case Verb::delete_service:
    case Verb::zero:
      return service;
    case Verb::add_server:
    case Verb::edit_server:
      return service | range(real_server, tunnel_remcsum);
    case Verb::delete_server:
      return service | bit(real_server);
    case Verb::list:
      return service | range(connection, json) | bit(sync_id);
    case Verb::save:
      return bit(numeric) | bit(json);
    case Verb::start_daemon:
      return range(sync_id, mcast_ttl);
    case Verb::stop_daemon:
      return bit(sync_id);
    case Verb::flush:
    case Verb::restore:
    case Verb::batch:
    case Verb::set:
    case Verb::help:
    case Verb::version:
      return 0;
  }
  std::unreachable();
}

}  // namespace

std::string_view name(Verb verb) {
  const auto* found = std::ranges::find(entries, verb, &Entry::verb);
  net::check(found != std::end(entries), "every verb has a name");
  return found->name;
}

std::string_view name(Option option) {
  const auto* found =
      std::ranges::find_if(entries, [&](const Entry& entry) { return !entry.verb && entry.option == option; });
  net::check(found != std::end(entries), "every option has a name");
  return found->name;
}

std::string_view kind(Option option) {
  if (bit(option) & service_addresses) return "service-address";
  return bit(option) & forwarding_methods ? "forwarding-method" : name(option);
}

Options same_kind(Option option) {
  if (bit(option) & service_addresses) return service_addresses;
  return bit(option) & forwarding_methods ? forwarding_methods : bit(option);
}

Options taken_by(Verb verb) { return options_of(verb) | bit(Option::sort); }

std::expected<std::optional<Scanner::Token>, std::string> Scanner::next() {
  if (!cluster_.empty()) return next_short();
  while (at_ < words_.size()) {
    word_ = words_[at_++];
    if (word_ == "--") {
      arguments.insert(arguments.end(), words_.begin() + static_cast<std::ptrdiff_t>(at_), words_.end());
      at_ = words_.size();
    } else if (word_.starts_with("--")) {
      return next_long(word_.substr(2));
    } else if (word_.size() > 1 && word_.starts_with('-')) {
      cluster_ = word_.substr(1);
      return next_short();
    } else {
      arguments.push_back(word_);
    }
  }
  return std::nullopt;
}

std::expected<std::optional<Scanner::Token>, std::string> Scanner::next_short() {
  const auto letter = static_cast<unsigned char>(cluster_.front());
  const std::size_t place = letter < letters.size() ? letters[letter] : std::size(entries);
  if (place == std::size(entries)) return std::unexpected(fmt::format("{}: unknown option", word_));
  cluster_.remove_prefix(1);
  const Entry& entry = entries[place];
  Token token{.verb = entry.verb, .option = entry.option, .value = {}, .word = word_};
  if (entry.value == Entry::Value::none) return token;
  if (!cluster_.empty()) {
    token.value = cluster_.substr(cluster_.starts_with('=') ? 1 : 0);
    cluster_ = {};
    return token;
  }
  return with_value(token, entry.value == Entry::Value::optional);
}

std::expected<std::optional<Scanner::Token>, std::string> Scanner::next_long(std::string_view word) {
  const std::size_t equals = word.find('=');
  const auto* entry = std::ranges::find(entries, word.substr(0, equals), &Entry::name);
  if (entry == std::end(entries)) return std::unexpected(fmt::format("{}: unknown option", word_));
  Token token{.verb = entry->verb, .option = entry->option, .value = {}, .word = word_};
  if (equals == word.npos) {
    if (entry->value == Entry::Value::none) return token;
    return with_value(token, entry->value == Entry::Value::optional);
  }
  if (entry->value == Entry::Value::none) {
    return std::unexpected(fmt::format("{}: option does not take an argument", word_));
  }
  token.value = word.substr(equals + 1);
  return token;
}

/// The value is the next word; one that may be missing is, if that word is an option.
std::expected<std::optional<Scanner::Token>, std::string> Scanner::with_value(Token token, bool may_be_missing) {
  if (at_ < words_.size() && !(may_be_missing && words_[at_].starts_with('-'))) {
    token.value = words_[at_++];
  } else if (!may_be_missing) {
    return std::unexpected(fmt::format("{}: missing argument", word_));
  }
  return token;
}

}  // namespace ipvs
