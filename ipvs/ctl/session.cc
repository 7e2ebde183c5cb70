#include "ipvs/ctl/session.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ipvs/ctl/connections.h"
#include "ipvs/ctl/json.h"
#include "ipvs/ctl/lines.h"
#include "ipvs/ctl/listing.h"
#include "ipvs/ctl/rule_text.h"
#include "ipvs/diff.h"
#include "net/fd.h"

namespace ipvs {

namespace {

/// Output is written when there is this much of it.
constexpr std::size_t enough = 32 * 1024;

}  // namespace

void Session::print(std::string& text) {
  std::fwrite(text.data(), 1, text.size(), out_);
  text.clear();
}

int Session::print_error(std::string_view message, int status) {
  std::fflush(out_);
  fmt::print(err_, "ipvsctl: {}\n", message);
  return status;
}

int Session::run(const Command& command) {
  if (command.op) {
    const auto done = kernel_.apply_one(*command.op);
    if (done) return 0;
    return print_error(done.error().message + std::string(hint(*command.op, done.error().code)));
  }
  return command.verb == Verb::save && !command.list.json ? save(command.list) : list(command.list);
}

int Session::list(const ListOptions& options) {
  std::string text;
  switch (options.view) {
    case View::connections:
      return list_connections(options);
    case View::timeouts: {
      const auto timeouts = kernel_.timeouts();
      if (!timeouts) return print_error(timeouts.error().message);
      text = options.json ? to_json(*timeouts) + "\n" : timeouts_line(*timeouts);
      break;
    }
    case View::daemons: {
      const auto daemons = kernel_.daemons();
      if (!daemons) return print_error(daemons.error().message);
      for (const Daemon& daemon : *daemons) {
        text += options.json ? (text.empty() ? "" : ",") + to_json(daemon) : daemon_line(daemon);
      }
      if (options.json) text = "{\"daemons\":[" + text + "]}\n";
      break;
    }
    default:
      return options.json ? list_table_json(options) : list_table(options);
  }
  print(text);
  return 0;
}

/// The services that a listing shows, in its order. Error ESRCH: the one that was asked for is not there.
net::Result<std::vector<ServiceRow>> Session::rows(const ListOptions& options) {
  if (!options.service) {
    auto all = kernel_.services();
    if (all && !options.nosort) sort_rows(*all);
    return all;
  }
  auto row = kernel_.service(*options.service);
  if (!row) return std::unexpected(std::move(row.error()));
  if (*row) return std::vector{std::move(**row)};
  return std::unexpected(net::Error{.code = ESRCH, .message = "there is no service " + to_string(*options.service)});
}

net::Result<std::vector<DestinationRow>> Session::destinations(const ServiceKey& key, const ListOptions& options) {
  auto destinations = kernel_.destinations(key);
  if (destinations && !options.nosort) sort_rows(*destinations);
  return destinations;
}

int Session::list_table(const ListOptions& options) {
  const auto services = rows(options);
  if (!services) return print_error(services.error().message, services.error().code == ESRCH ? 1 : 255);
  std::string text;
  if (!options.service) {
    const auto info = kernel_.info();
    if (!info) return print_error(info.error().message);
    text = version_line(*info);
  }
  append_header(text, options.view);
  NameResolver namer(options.numeric);
  for (const ServiceRow& service : *services) {
    append_service(text, service, options, namer);
    const auto found = destinations(service.key, options);
    if (!found) return print_error(found.error().message);
    for (const DestinationRow& row : *found) append_destination(text, service.key, row, options, namer);
    if (text.size() > enough) print(text);
  }
  print(text);
  return 0;
}

int Session::list_table_json(const ListOptions& options) {
  const auto info = kernel_.info();
  if (!info) return print_error(info.error().message);
  const auto services = rows(options);
  if (!services) return print_error(services.error().message, services.error().code == ESRCH ? 1 : 255);
  std::string text = "{\"ipvs\":" + to_json(*info) + ",\"services\":[";
  std::string_view separator = "\n";
  for (const ServiceRow& service : *services) {
    const auto found = destinations(service.key, options);
    if (!found) return print_error(found.error().message);
    text.append(separator).append(to_json(service, *found));
    separator = ",\n";
    if (text.size() > enough) print(text);
  }
  text += "]}\n";
  print(text);
  return 0;
}

int Session::list_connections(const ListOptions& options) {
  const char* path = "/proc/net/ip_vs_conn";
  const net::Fd file(::open(path, O_RDONLY | O_CLOEXEC));
  if (!file) return print_error(fmt::format("cannot read {}: {}", path, std::strerror(errno)), 1);
  std::string text;
  if (options.json) {
    text = "{\"connections\":[";
  } else {
    append_connections_header(text, options.persistence_data);
  }
  NameResolver namer(options.numeric);
  std::string_view separator = "\n";
  Lines lines(file.get());
  for (std::string line; lines.next(line);) {
    const auto connection = parse_connection(line);
    if (!connection) continue;
    if (options.json) {
      text.append(separator).append(to_json(*connection));
      separator = ",\n";
    } else {
      append_connection(text, *connection, options.persistence_data, namer);
    }
    if (text.size() > enough) print(text);
  }
  if (options.json) text += "]}\n";
  print(text);
  return 0;
}

int Session::save(const ListOptions& options) {
  const auto services = rows(options);
  if (!services) return print_error(services.error().message);
  NameResolver namer(options.numeric);
  std::string text;
  for (const ServiceRow& service : *services) {
    append_rule(text, AddService{service.key, service.service}, namer);
    const auto found = destinations(service.key, options);
    if (!found) return print_error(found.error().message);
    for (const DestinationRow& row : *found) {
      append_rule(text, AddDestination{service.key, row.key, row.status.destination}, namer);
    }
    if (text.size() > enough) print(text);
  }
  print(text);
  return 0;
}

net::Result<std::vector<Op>> Session::changes(std::string_view rules) {
  auto desired = read_desired(rules);
  if (!desired) return std::unexpected(std::move(desired.error()));
  const auto actual = kernel_.list();
  if (!actual) return std::unexpected(actual.error());
  std::vector<Op> ops = ipvs::diff(desired->table, table_of(*actual));
  if (desired->timeouts) {
    const auto timeouts = kernel_.timeouts();
    if (!timeouts) return std::unexpected(timeouts.error());
    if (!matches(*timeouts, *desired->timeouts)) ops.push_back(SetTimeouts{*desired->timeouts});
  }
  if (desired->daemons.empty()) return ops;
  const auto running = kernel_.daemons();
  if (!running) return std::unexpected(running.error());
  for (const Daemon& wanted : desired->daemons) {
    const auto found = std::ranges::find(*running, wanted.state, &Daemon::state);
    if (found != running->end() && matches(*found, wanted)) continue;
    if (found != running->end()) ops.push_back(StopDaemon{wanted.state});
    ops.push_back(StartDaemon{wanted});
  }
  return ops;
}

int Session::diff(std::string_view rules, bool json) {
  const auto ops = changes(rules);
  if (!ops) return print_error(ops.error().message);
  NameResolver namer(true);
  std::string text;
  if (json) text = "{\"changes\":[";
  std::string_view separator = "\n";
  for (const Op& op : *ops) {
    if (json) {
      std::string rule;
      append_rule(rule, op, namer);
      rule.pop_back();
      text.append(separator).append(json_string(rule));
      separator = ",\n";
    } else {
      append_rule(text, op, namer);
    }
  }
  if (json) text += "]}\n";
  print(text);
  return ops->empty() ? 0 : 1;
}

int Session::apply(std::string_view rules) {
  const auto ops = changes(rules);
  if (!ops) return print_error(ops.error().message);
  const auto refusals = kernel_.apply(*ops);
  if (!refusals) return print_error(refusals.error().message);
  for (const RefusedOp& refused : *refusals) print_error(refused.error.message);
  return refusals->empty() ? 0 : 1;
}

std::string_view hint(const Op& op, int code) {
  const bool of_destination = std::holds_alternative<AddDestination>(op) || std::holds_alternative<SetDestination>(op);
  switch (code) {
    case EEXIST:
      return of_destination ? "; use -e to change it" : "; use -E to change it";
    case ESRCH:
      if (of_destination) return "; add it first with -A";
      return std::holds_alternative<SetService>(op) ? "; use -A to add it" : "";
    case ENOENT:
      return std::holds_alternative<SetDestination>(op) ? "; use -a to add it" : "";
    default:
      return "";
  }
}

}  // namespace ipvs
