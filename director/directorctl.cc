// directorctl: asks and steers the daemon over its Unix socket.
// Exit status: 0 done, 1 refused by the daemon, 2 wrong usage, 3 no daemon.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "director/http_client.h"
#include "director/status_text.h"

namespace {

using nlohmann::json;

enum Exit { done = 0, refused = 1, usage = 2, no_daemon = 3 };

struct Arguments {
  std::string socket = "/run/directord/control.sock";
  bool as_json = false;
  std::string server;
  std::string reason;
};

/// Sends the request; on refusal or silence says why and ends the program.
json ask_or_exit(const Arguments& arguments, const std::string& method, const std::string& path,
                 const std::string& body = {}) {
  const auto answer = director::ask(arguments.socket, method, path, body);
  if (!answer) {
    fmt::print(stderr, "directorctl: {}\n", answer.error().message);
    if (answer.error().code == ENOENT || answer.error().code == ECONNREFUSED) {
      fmt::print(stderr, "directorctl: is directord running? --socket names another place\n");
    }
    std::exit(no_daemon);
  }
  const json value = json::parse(answer->body, nullptr, false);
  if (answer->status < 200 || answer->status > 299) {
    const bool explained = value.is_object() && value.contains("error") && value["error"].is_string();
    fmt::print(stderr, "directorctl: {}\n",
               explained ? value["error"].get<std::string>() : fmt::format("HTTP status {}", answer->status));
    std::exit(refused);
  }
  if (value.is_discarded()) {
    fmt::print(stderr, "directorctl: the daemon's answer is not JSON\n");
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
std::string drain_path(const std::string& server) {
  const auto slash = server.find('/');
  return fmt::format("/v1/services/{}/servers/{}/drain", server.substr(0, slash), server.substr(slash + 1));
}

std::string drain_text(const json& value) { return value.value("message", "") + "\n"; }

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Asks and steers directord.\nExample: directorctl drain web/web2 --reason 'kernel update'");
  app.set_version_flag("--version", "directorctl " DIRECTORD_VERSION);
  app.require_subcommand(0, 1);
  app.footer("Exit status: 0 done, 1 refused by the daemon, 2 wrong usage, 3 no daemon.");
  app.add_option("--socket", arguments.socket, "the daemon's control socket")->capture_default_str();

  const auto command = [&](const char* name, const char* description) {
    auto* made = app.add_subcommand(name, description);
    made->add_flag("--json", arguments.as_json, "for machines");
    made->fallthrough();
    return made;
  };
  const auto on_server = [&](CLI::App* made) {
    made->add_option("server", arguments.server, "SERVICE/SERVER, as in web/web2")
        ->required()
        ->check([](const std::string& text) {
          const auto slash = text.find('/');
          const bool good = slash != std::string::npos && slash > 0 && slash + 1 < text.size();
          return good ? std::string() : "'" + text + "' is not SERVICE/SERVER";
        });
  };
  auto* status = command("status", "who is master, and how each server fares");
  auto* drain = command("drain", "no new connections to a server; open ones live on, also over a restart of directord");
  on_server(drain);
  drain->add_option("--reason", arguments.reason, "kept, and shown by status");
  auto* undrain = command("undrain", "takes a drain back");
  on_server(undrain);

  try {
    app.parse(argc, argv);
    // Asked for here, since the library would tell of it before an option that it does not know.
    if (app.get_subcommands().empty()) throw CLI::RequiredError("A command");
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? done : usage;
  }

  if (*status) show(arguments, ask_or_exit(arguments, "GET", "/v1/status"), director::status_text);
  if (*drain) {
    const auto body = json{{"reason", arguments.reason}}.dump(-1, ' ', false, json::error_handler_t::replace);
    show(arguments, ask_or_exit(arguments, "PUT", drain_path(arguments.server), body), drain_text);
  }
  if (*undrain) show(arguments, ask_or_exit(arguments, "DELETE", drain_path(arguments.server)), drain_text);
  return done;
}
