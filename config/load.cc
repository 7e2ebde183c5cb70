#include "config/load.h"

#include "config/defaults.h"
#include "config/file.h"
#include "config/fingerprint.h"
#include "config/include.h"
#include "config/origin.h"
#include "config/ranges.h"
#include "config/read.h"
#include "config/validate.h"

namespace config {
namespace {

std::expected<Loaded, Refusal> load_source(Source source, bool is_file, const net::Modules* modules) {
  std::vector<Source> sources;
  sources.push_back(std::move(source));
  Diagnostics diagnostics;
  Document document;
  YamlNode* root = parse(sources.front(), 0, document, diagnostics);
  if (root == nullptr) return std::unexpected(diagnostics.in_order(sources));

  if (is_file) {
    include_files(*root, sources, document, diagnostics);
  } else if (const Entry* include = root->find("include")) {
    diagnostics.error(include->place, "'include' needs a file to start from; this text has none");
  }
  apply_defaults(*root, cluster_shape());
  expand_ranges(*root, document, diagnostics);
  Reader reader(diagnostics);
  Cluster cluster = read(*root, reader);
  const Origin origin(*root, reader, sources);
  validate(cluster, origin, diagnostics);
  if (modules != nullptr) validate_schedulers(cluster, origin, *modules, diagnostics);

  auto found = diagnostics.in_order(sources);
  if (diagnostics.has_errors()) return std::unexpected(std::move(found));
  cluster.fingerprint = fingerprint(sources);
  Loaded loaded = {.cluster = std::move(cluster), .warnings = std::move(found), .files = {}};
  for (auto& read : sources) loaded.files.push_back(std::move(read.name));
  return loaded;
}

}  // namespace

std::expected<Loaded, Refusal> load(const std::string& path, const net::Modules* modules) {
  auto text = read_file(path);
  if (!text) return std::unexpected(Refusal{{.file = path, .message = std::move(text.error()), .source = ""}});
  return load_source({.name = path, .text = *std::move(text)}, true, modules);
}

std::expected<Loaded, Refusal> load_text(std::string name, std::string text, const net::Modules* modules) {
  return load_source({.name = std::move(name), .text = std::move(text)}, false, modules);
}

}  // namespace config
