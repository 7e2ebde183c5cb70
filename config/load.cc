#include "config/load.h"

#include "config/file.h"
#include "config/origin.h"
#include "config/read.h"
#include "config/validate.h"

namespace config {
namespace {

std::expected<Loaded, Refusal> load_source(const Source& source) {
  const std::span sources(&source, 1);
  Diagnostics diagnostics;
  Document document;
  const YamlNode* root = parse(source, 0, document, diagnostics);
  if (root == nullptr) return std::unexpected(diagnostics.in_order(sources));

  Reader reader(diagnostics);
  Cluster cluster = read(*root, reader);
  validate(cluster, Origin(*root, reader, sources), diagnostics);
  auto found = diagnostics.in_order(sources);
  if (diagnostics.has_errors()) return std::unexpected(std::move(found));
  return Loaded{.cluster = std::move(cluster), .warnings = std::move(found)};
}

}  // namespace

std::expected<Loaded, Refusal> load(const std::string& path) {
  auto text = read_file(path);
  if (!text) return std::unexpected(Refusal{{.file = path, .message = std::move(text.error()), .source = ""}});
  return load_source({.name = path, .text = *std::move(text)});
}

std::expected<Loaded, Refusal> load_text(std::string name, std::string text) {
  return load_source({.name = std::move(name), .text = std::move(text)});
}

}  // namespace config
