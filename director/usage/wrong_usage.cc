#include "director/usage/wrong_usage.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "config/yaml/diagnostics.h"

namespace director {

namespace {

/// The commands and long options that a word could have been meant as.
std::vector<std::string> words_of(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::App* command : app.get_subcommands(nullptr)) words.push_back(command->get_name());
  for (const CLI::Option* option : app.get_options()) words.push_back(option->get_name());
  return words;
}

std::string unexpected(const CLI::App& app, const std::string& word) {
  const auto words = words_of(app);
  const auto meant = config::nearest(word, words);
  if (!meant.empty()) return fmt::format("unknown argument '{}'; did you mean '{}'?", word, meant);
  if (!word.starts_with('-') && app.get_option_no_throw("--config") != nullptr) {
    return fmt::format("unexpected argument '{0}'; did you mean --config {0}?", word);
  }
  return fmt::format("unknown argument '{}'", word);
}

/// The command that was being read, or the program itself.
const CLI::App* innermost(const CLI::App* app) {
  const auto chosen = app->get_subcommands();
  return chosen.empty() ? app : innermost(chosen.front());
}

}  // namespace

std::string wrong_usage(const CLI::App* app, const CLI::Error& error) {
  const CLI::App* command = innermost(app);
  std::string name = app->get_name();
  if (command != app) name += " " + command->get_name();
  const auto extra = app->remaining(true);
  const std::string what = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError) && !extra.empty()
                               ? unexpected(*command, extra.front())
                               : error.what();
  return fmt::format("{0}: {1}\nRun {0} --help.\n", name, what);
}

}  // namespace director
