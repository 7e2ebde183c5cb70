#include "director/ctl/planned_files.h"

#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "config/file.h"

namespace director {

using nlohmann::json;

std::expected<std::string, config::Refusal> planned_files(const std::string& file) {
  if (file.empty()) return "";
  json body = {{"file", file}};  // version 0.1.0 reads the file itself
  // directord may read it, if it is its own.
  if (access(file.c_str(), R_OK) != 0 && errno == EACCES)
    return body.dump(-1, ' ', false, json::error_handler_t::replace);
  const auto loaded = config::load(file);
  if (!loaded) return std::unexpected(loaded.error());
  for (const auto& name : loaded->files) {
    auto text = config::read_file(name);
    if (!text) return std::unexpected(config::Refusal{{.file = name, .message = text.error(), .source = ""}});
    body["files"].push_back({{"name", name}, {"text", *std::move(text)}});
  }
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace director
