#pragma once

#include <string>

namespace CLI {
class App;
class Error;
}  // namespace CLI

namespace director {

/// What to tell somebody whose command line the library refused: what was wrong, the nearest word that would have been
/// right, and where to read on. For CLI::App::failure_message.
[[nodiscard]] std::string wrong_usage(const CLI::App* app, const CLI::Error& error);

}  // namespace director
