#include "config/load.h"

#include <functional>
#include <optional>
#include <utility>

#include "config/file.h"
#include "config/fingerprint.h"
#include "config/include.h"
#include "config/keys/read.h"
#include "config/ranges.h"
#include "config/rules/validate.h"
#include "config/schema/defaults.h"
#include "config/schema/origin.h"

namespace config {
namespace {

void rules(const Cluster& cluster, const Origin& origin, const net::Modules* modules, Diagnostics& diagnostics) {
  validate(cluster, origin, diagnostics);
  if (modules == nullptr) return;  // it is not for this host
  validate_schedulers(cluster, origin, *modules, diagnostics);
  validate_programs(cluster, origin, diagnostics);
}

std::string_view whole_text(const Source& source) { return source.text; }

std::vector<std::string> names_of(const std::vector<Source>& sources) {
  std::vector<std::string> names;
  for (const auto& source : sources) names.push_back(source.name);
  return names;
}

std::expected<Loaded, Refusal> load_source(Source source, bool is_file, const net::Modules* modules) {
  std::vector<Source> sources;
  sources.push_back(std::move(source));
  Diagnostics diagnostics;
  Document document;
  YamlNode* root = parse(sources.front().text, 0, document, diagnostics);
  if (root == nullptr) return std::unexpected(diagnostics.in_order(sources));

  if (is_file) {
    include_files(*root, sources, whole_text, document, diagnostics);
  } else if (const Entry* include = root->find("include")) {
    diagnostics.error(include->place, "'include' needs a file to start from; this text has none");
  }
  ReloadCache cache(sources, *root);
  apply_defaults(*root, cluster_shape());
  expand_ranges(*root, document, diagnostics);
  Reader reader(diagnostics);
  Cluster cluster = read(*root, reader);
  rules(cluster, Origin(*root, reader, sources), modules, diagnostics);

  auto found = diagnostics.in_order(sources);
  if (diagnostics.has_errors()) return std::unexpected(std::move(found));
  cluster.fingerprint = fingerprint(sources);
  // To find a warning anew, all is read anew.
  if (!found.empty()) cache = {};
  const auto count = cluster.services.size();
  return Loaded{.cluster = std::move(cluster),
                .warnings = std::move(found),
                .files = names_of(sources),
                .services_read = count,
                .cache = std::move(cache)};
}

/// Nothing when `cache` does not help, or there is anything to say about the file, which takes the places of the whole
/// text.
std::optional<Loaded> load_incrementally(const Source& source, const ReloadCache& cache,
                                         const std::vector<Service>& before, const net::Modules* modules) {
  std::vector<Source> sources = {source};
  Diagnostics diagnostics;
  Document document;
  IncrementalReader incremental(cache);
  YamlNode* root = parse(incremental(source), 0, document, diagnostics);
  if (root == nullptr) return std::nullopt;
  include_files(*root, sources, std::ref(incremental), document, diagnostics);
  if (!incremental.covers(*root)) return std::nullopt;
  apply_defaults(*root, cluster_shape());
  expand_ranges(*root, document, diagnostics);
  Reader reader(diagnostics);
  Cluster cluster = read(*root, reader);
  if (diagnostics.any()) return std::nullopt;
  const auto count = cluster.services.size();
  auto services = incremental.merge(before, std::move(cluster.services));
  if (!services) return std::nullopt;
  cluster.services = *std::move(services);
  rules(cluster, Origin(*root, reader, sources), modules, diagnostics);
  if (diagnostics.any()) return std::nullopt;
  cluster.fingerprint = fingerprint(sources);
  return Loaded{.cluster = std::move(cluster),
                .warnings = {},
                .files = names_of(sources),
                .services_read = count,
                .cache = std::move(incremental).cache()};
}

/// The cluster file itself; the error is all that is wrong with it.
std::expected<Source, Refusal> open_file(const std::string& path) {
  auto text = read_file(path);
  if (!text) return std::unexpected(Refusal{{.file = path, .message = std::move(text.error()), .source = ""}});
  return Source{.name = path, .text = *std::move(text)};
}

}  // namespace

std::expected<Loaded, Refusal> load(const std::string& path, const net::Modules* modules) {
  return reload(path, {}, {}, modules);
}

std::expected<Loaded, Refusal> reload(const std::string& path, const ReloadCache& cache,
                                      const std::vector<Service>& before, const net::Modules* modules) {
  auto source = open_file(path);
  if (!source) return std::unexpected(std::move(source.error()));
  if (!cache.empty()) {
    if (auto loaded = load_incrementally(*source, cache, before, modules)) return *std::move(loaded);
  }
  return load_source(*std::move(source), true, modules);
}

std::expected<Loaded, Refusal> load_text(std::string name, std::string text, const net::Modules* modules) {
  return load_source({.name = std::move(name), .text = std::move(text)}, false, modules);
}

}  // namespace config
