#include "director/engine/sent_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "net/utf8.h"

namespace director {
namespace {

using nlohmann::json;

constexpr std::size_t max_files = 1000;  // as many as may be included
constexpr std::size_t max_name = 4096;

/// Whether a part of the body is worth its memory: only what files are made of is.
bool is_kept(int depth, json::parse_event_t event, const json& parsed) {
  if (event == json::parse_event_t::key) {
    return depth == 1 ? parsed == "files" : depth == 3 && (parsed == "name" || parsed == "text");
  }
  return event == json::parse_event_t::value ? depth == 3 : depth <= 2;
}

bool is_name(const json& name) {
  const auto* text = name.get_ptr<const std::string*>();
  return text != nullptr && text->starts_with('/') && text->size() <= max_name &&
         std::ranges::none_of(*text, [](const char& c) { return net::is_control({&c, 1}); });
}

}  // namespace

std::expected<std::vector<config::Source>, Refused> sent_files(const std::string& body) {
  const auto refused = [] {
    return std::unexpected(Refused{.why =
                                       "invalid body: expected {\"files\": [{\"name\": \"/...\", \"text\": \"...\"}]}, "
                                       "the cluster file first, then those that it includes",
                                   .kind = RequestError::Kind::invalid});
  };
  json value = json::parse(body, is_kept, false);
  const auto files = value.is_object() ? value.find("files") : value.end();
  if (!value.is_object() || files == value.end() || !files->is_array() || files->empty() || files->size() > max_files)
    return refused();
  std::vector<config::Source> sources;
  for (auto& file : *files) {
    if (!file.is_object() || !file.contains("name") || !file.contains("text")) return refused();
    if (!is_name(file["name"]) || !file["text"].is_string()) return refused();
    sources.push_back(
        {.name = file["name"].get<std::string>(), .text = std::move(file["text"].get_ref<std::string&>())});
  }
  return sources;
}

}  // namespace director
