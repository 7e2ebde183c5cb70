// directorctl: shows and controls directord over its Unix socket; `check` works without it.
// Exit status: 0 done, 1 refused, 2 wrong usage, 3 no daemon.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "config/load.h"
#include "director/control/http_client.h"
#include "director/ctl/answer_text.h"
#include "director/ctl/arguments.h"
#include "director/ctl/change_text.h"
#include "director/ctl/doctor_command.h"
#include "director/ctl/exit_status.h"
#include "director/ctl/import_file.h"
#include "director/ctl/keygen.h"
#include "director/ctl/plan_offline.h"
#include "director/ctl/planned_files.h"
#include "director/ctl/polkit_command.h"
#include "director/ctl/status_text.h"
#include "director/ctl/text_table.h"
#include "director/ctl/vrrp_text.h"
#include "director/usage/wrong_usage.h"
#include "net/version.h"

namespace {

using nlohmann::json;

using director::done, director::refused, director::usage, director::no_daemon;

constexpr auto default_file = "/etc/directord/cluster.yaml";

struct Arguments {
  std::string socket = "/run/directord/control.sock";
  bool as_json = false;
  std::string server;
  std::string reason;
  std::string within;
  std::string weight;
  std::string time;
  std::string file;
  std::string config = default_file;
  std::string format;
  std::string router;
  std::string node;
  bool yes = false;
  bool follow = false;
};

constexpr auto look_again = std::chrono::seconds(1);

std::string body_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

/// Whether a daemon is there at all.
bool is_answered(const Arguments& arguments) {
  const auto answer = director::http_request(arguments.socket, "GET", "/v1/events");
  return answer || (answer.error().code != ENOENT && answer.error().code != ECONNREFUSED);
}

/// Sends the request; on refusal or silence says why and ends the program.
json ask_or_exit(const Arguments& arguments, const std::string& method, const std::string& path,
                 const std::string& body = {}) {
  const auto answer = director::http_request(arguments.socket, method, path, body);
  if (!answer) {
    fmt::print(stderr, "directorctl: {}\n", answer.error().message);
    if (answer.error().code == ENOENT || answer.error().code == ECONNREFUSED) {
      fmt::print(stderr, "directorctl: is directord running? For another control socket use --socket\n");
    }
    std::exit(no_daemon);
  }
  const json value = json::parse(answer->body, nullptr, false);
  if (answer->status < 200 || answer->status > 299) {
    for (const auto& found : director::list(value, "found")) {
      fmt::print(stderr, "{}", director::lines(found, "text"));
    }
    const bool explained = value.is_object() && value.contains("error") && value["error"].is_string();
    fmt::print(stderr, "directorctl: {}\n",
               explained ? director::lines(value, "error") : fmt::format("HTTP status {}", answer->status));
    std::exit(refused);
  }
  if (value.is_discarded()) {
    fmt::print(stderr, "directorctl: directord's answer is not JSON\n");
    std::exit(refused);
  }
  return value;
}

void show(const Arguments& arguments, const json& value, std::string (*as_text)(const json&)) {
  if (arguments.as_json) {
    fmt::print("{}\n", value.dump(2));
  } else {
    fmt::print("{}", as_text(value));
  }
}

/// "web/web2" -> "/v1/services/web/servers/web2/drain"; names cannot hold a slash, so the first one parts them.
std::string server_path(const std::string& server, const char* what) {
  const auto slash = server.find('/');
  return fmt::format("/v1/services/{}/servers/{}/{}", server.substr(0, slash), server.substr(slash + 1), what);
}

int show_status(const Arguments& arguments, std::string (*as_text)(const json&)) {
  show(arguments, ask_or_exit(arguments, "GET", "/v1/status"), as_text);
  return done;
}

int show_events(const Arguments& arguments) {
  std::uint64_t seen = 0;
  for (;;) {
    const auto value = ask_or_exit(arguments, "GET", fmt::format("/v1/events?since={}", seen));
    const auto& events = director::list(value, "events");
    if (!arguments.follow) {
      show(arguments, value, director::events_text);
      return done;
    }
    if (arguments.as_json) {  // one event a line, so that a reader need not know where an answer ends
      for (const auto& event : events) fmt::print("{}\n", body_of(event));
    } else {
      fmt::print("{}", director::events_text(value));
    }
    std::fflush(stdout);
    if (!events.empty()) seen = events.back().value("number", seen);
    std::this_thread::sleep_for(look_again);
  }
}

/// The status again and again, in place on a terminal.
int show_top(const Arguments& arguments) {
  const bool in_place = isatty(STDOUT_FILENO) != 0;
  for (;;) {
    const auto text = director::status_text(ask_or_exit(arguments, "GET", "/v1/status"));
    fmt::print("{}{}", in_place ? "\x1b[H\x1b[2J" : "", text);
    std::fflush(stdout);
    std::this_thread::sleep_for(look_again);
  }
}

int drain(const Arguments& arguments, std::optional<std::int64_t> within_seconds) {
  json body{{"reason", arguments.reason}};
  if (within_seconds) body["within_seconds"] = *within_seconds;
  show(arguments, ask_or_exit(arguments, "PUT", server_path(arguments.server, "drain"), body_of(body)),
       director::answer_text);
  return done;
}

int undrain(const Arguments& arguments) {
  show(arguments, ask_or_exit(arguments, "DELETE", server_path(arguments.server, "drain")), director::answer_text);
  return done;
}

int set_weight(const Arguments& arguments) {
  const auto path = server_path(arguments.server, "weight");
  if (arguments.weight == "file") {
    show(arguments, ask_or_exit(arguments, "DELETE", path), director::answer_text);
    return done;
  }
  json body{{"weight", std::stoul(arguments.weight)}, {"reason", arguments.reason}};
  if (!arguments.time.empty()) body["for_seconds"] = director::seconds_of(arguments.time);
  show(arguments, ask_or_exit(arguments, "PUT", path, body_of(body)), director::answer_text);
  return done;
}

int reload(const Arguments& arguments) {
  show(arguments, ask_or_exit(arguments, "POST", "/v1/reload", body_of({{"yes", arguments.yes}})),
       director::change_text);
  return done;
}

int plan(const Arguments& arguments) {
  const std::string file = arguments.file.empty() ? "" : std::filesystem::absolute(arguments.file).string();
  if (!file.empty() && !is_answered(arguments)) {
    const auto planned = director::plan_offline(file);
    if (!planned) {
      fmt::print(stderr, "{}directorctl: {} has errors\n", config::to_string(planned.error()), file);
      return refused;
    }
    if (!arguments.as_json) {
      fmt::print(stderr, "directorctl: directord is not running here; compared with {}\n",
                 director::cell(*planned, "against"));
    }
    show(arguments, *planned, director::change_text);
    return done;
  }
  const auto body = director::planned_files(file);
  if (!body) {
    fmt::print(stderr, "{}directorctl: {} has errors, nothing was changed\n", config::to_string(body.error()), file);
    return refused;
  }
  show(arguments, ask_or_exit(arguments, "POST", "/v1/plan", *body), director::change_text);
  return done;
}

/// Waits for the new one's first answer: it is the same pid, but it has started anew.
int replace(const Arguments& arguments) {
  const auto before = ask_or_exit(arguments, "GET", "/v1/status").value("started", "");
  const auto answer = ask_or_exit(arguments, "POST", "/v1/replace");
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const auto status = director::http_request(arguments.socket, "GET", "/v1/status");
    const json value = status ? json::parse(status->body, nullptr, false) : json();
    if (!value.is_object() || value.value("started", before) == before) continue;
    show(arguments, {{"message", "directord " + value.value("version", "") + " has taken over"}},
         director::answer_text);
    return done;
  }
  show(arguments, answer, director::answer_text);
  fmt::print(stderr, "directorctl: the new process has not answered within 10 s; see directord's log\n");
  return refused;
}

int check(const Arguments& arguments) {
  const auto modules = net::Modules::of_host();
  const auto loaded = config::load(arguments.file, &modules);
  const auto& found = loaded ? loaded->warnings : loaded.error();
  if (arguments.as_json) {
    json list = json::array();
    for (const auto& each : found) {
      list.push_back({{"severity", each.severity == config::Severity::error ? "error" : "warning"},
                      {"file", each.file},
                      {"line", each.line},
                      {"column", each.column},
                      {"message", each.message}});
    }
    fmt::print("{}\n",
               json{{"good", loaded.has_value()}, {"found", list}}.dump(2, ' ', false, json::error_handler_t::replace));
  } else {
    fmt::print(stderr, "{}", config::to_string(found));
    if (loaded) fmt::print("{}: the file is valid\n", arguments.file);
  }
  return loaded ? done : refused;
}

int carry_over(const Arguments& arguments) {
  const auto imported = director::import_file(arguments.format, arguments.file);
  if (!imported) {
    fmt::print(stderr, "directorctl: {}\n", imported.error().message);
    return refused;
  }
  const std::string text = config::to_yaml(*imported);
  fmt::print("{}", arguments.as_json ? body_of(json{{"file", text}, {"notes", imported->notes}}) + "\n" : text);
  return done;
}

int make_key(const Arguments& arguments) {
  if (const auto written = director::make_key_file(arguments.file); !written) {
    fmt::print(stderr, "directorctl: {}\n", written.error().message);
    return refused;
  }
  show(arguments, {{"message", arguments.file + ": made; every director needs the same"}}, director::answer_text);
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Shows and controls directord.\nExample: directorctl drain web/web2 --reason 'kernel update'",
               "directorctl");
  app.failure_message(director::wrong_usage);
  app.set_version_flag("--version", fmt::format("directorctl {}", net::version()));
  app.require_subcommand(0, 1);
  app.footer("Exit status: 0 done, 1 refused, 2 wrong usage, 3 directord is not running.");
  app.add_option("--socket", arguments.socket, "directord's control socket")->capture_default_str();

  std::function<int()> chosen;
  const auto command = [&](const char* name, const char* description, std::function<int()> run) {
    auto* made = app.add_subcommand(name, description);
    made->add_flag("--json", arguments.as_json, "print JSON");
    made->fallthrough();
    made->callback([&chosen, run = std::move(run)] { chosen = run; });
    return made;
  };
  const auto on_server = [&](CLI::App* made) {
    made->add_option("server", arguments.server, "SERVICE/SERVER, such as web/web2")
        ->required()
        ->check(director::is_server);
    return made;
  };
  const auto with_reason = [&](CLI::App* made) {
    made->add_option("--reason", arguments.reason, "reason, shown by status");
    return made;
  };

  command("status", "show virtual routers, services, servers and problems",
          [&] { return show_status(arguments, director::status_text); });
  command("services", "show one line for each service",
          [&] { return show_status(arguments, director::services_text); });
  command("servers", "show one line for each server", [&] { return show_status(arguments, director::servers_text); });
  command("events", "show the latest events, with their reasons", [&] {
    return show_events(arguments);
  })->add_flag("--follow", arguments.follow, "keep printing new events");
  command("top", "show the status, updated each second", [&] { return show_top(arguments); });
  with_reason(
      on_server(command("drain", "stop new connections to a server; open connections continue; kept over restarts",
                        [&] {
                          return drain(arguments, arguments.within.empty()
                                                      ? std::nullopt
                                                      : std::optional(director::seconds_of(arguments.within)));
                        })))
      ->add_option("--within", arguments.within,
                   "drain timeout: the server is then removed from the table, its open connections are closed")
      ->check(director::is_seconds);
  on_server(command("undrain", "end the drain of a server", [&] { return undrain(arguments); }));
  with_reason(on_server(command("disable", "remove a server from the table at once; its open connections are closed",
                                [&] { return drain(arguments, 0); })));
  on_server(
      command("enable", "put a disabled or drained server back into service", [&] { return undrain(arguments); }));
  auto* weight = with_reason(on_server(
      command("weight", "set the weight of a server; kept over restarts", [&] { return set_weight(arguments); })));
  weight->add_option("weight", arguments.weight, "0 to 65535, or 'file' for the weight in the cluster file")
      ->required()
      ->check(director::is_weight);
  weight->add_option("--for", arguments.time, "time after which the weight of the cluster file applies again")
      ->check(director::is_seconds);
  command("vrrp", "show the virtual routers: role, reason, peers, advertisements, leases and timers", [&] {
    show(arguments, ask_or_exit(arguments, "GET", "/v1/vrrp"), director::vrrp_text);
    return int{done};
  });
  auto* failover = command("failover", "move the master role of a virtual router and its group to another node", [&] {
    if (arguments.router.empty()) {
      fmt::print(stderr, "{}", director::failover_text(ask_or_exit(arguments, "GET", "/v1/vrrp")));
      return int{usage};
    }
    const json body = arguments.node.empty() ? json::object() : json{{"to", arguments.node}};
    const auto path = "/v1/vrrp/" + arguments.router + "/failover";
    show(arguments, ask_or_exit(arguments, "POST", path, body_of(body)), director::answer_text);
    return int{done};
  });
  failover->add_option("router", arguments.router, "name of a virtual router; without it, lists the virtual routers");
  failover->add_option("--to", arguments.node, "expected new master; refused if it is not the next node by priority");
  command("reload", "read the cluster file again and apply the changes; on any error nothing is changed", [&] {
    return reload(arguments);
  })->add_flag("--yes", arguments.yes, "confirm a reload that removes more than reload_guard allows");
  command("plan", "show what a reload would change, and the connections of removed servers",
          [&] { return plan(arguments); })
      ->add_option("file", arguments.file,
                   "another cluster file; if directord is not running: what its start would change");
  command("replace", "replace the running directord with the program on disk, without interruption",
          [&] { return replace(arguments); });
  command("check", "check a cluster file; works without directord", [&] { return check(arguments); })
      ->add_option("file", arguments.file, "the cluster file")
      ->required();
  auto* doctor =
      command("doctor", "check this host for a cluster file, and say what to do; works without directord", [&] {
        return director::doctor_command({.file = arguments.file.empty() ? default_file : arguments.file,
                                         .node = arguments.node,
                                         .socket = arguments.socket,
                                         .as_json = arguments.as_json});
      });
  doctor->add_option("file", arguments.file, "the cluster file; default: /etc/directord/cluster.yaml");
  doctor->add_option("--node", arguments.node, "name of this node in the cluster file; default: the host name");
  doctor->footer("Exit status: 0 no errors, 1 errors, 2 wrong usage or an invalid cluster file.");
  auto* importing = command("import",
                            "convert another tool's file to a cluster file, whose first lines list what could not be "
                            "converted; works without directord",
                            [&] { return carry_over(arguments); });
  importing->add_option("format", arguments.format, "format of the file: keepalived, ldirectord or ipvsadm")
      ->required()
      ->check(CLI::IsMember({"keepalived", "ldirectord", "ipvsadm"}));
  importing->add_option("file", arguments.file, "keepalived.conf, ldirectord.cf, or the output of `ipvsadm -Sn`")
      ->required();
  command("keygen", "make a file with a key for the directors of a cluster; works without directord",
          [&] { return make_key(arguments); })
      ->add_option("file", arguments.file, "the file, which must not exist yet")
      ->required();
  auto* polkit = command("polkit",
                         "write the polkit rule that lets directord start and stop the units under `resources` in the "
                         "cluster file; works without directord",
                         [&] { return director::polkit_command(arguments.config, arguments.file); });
  polkit->add_option("file", arguments.file, "such as /etc/polkit-1/rules.d/50-directord.rules; - for standard output")
      ->required();
  polkit->add_option("--config", arguments.config, "the cluster file")->capture_default_str();

  try {
    app.parse(argc, argv);
    // Asked for here, since the library would tell of it before an option that it does not know.
    if (!chosen) throw CLI::RequiredError("A command");
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? done : usage;
  }
  return chosen();
}
