#include "config/load.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <ranges>
#include <utility>

#include "config/file.h"
#include "config/fingerprint.h"
#include "config/include.h"
#include "config/keys/read.h"
#include "config/ranges.h"
#include "config/rules/validate.h"
#include "config/schema/defaults.h"
#include "config/schema/origin.h"
#include "config/size.h"

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

/// What came of the reading of a file that ended before its end.
Refusal ended(const Diagnostics& diagnostics, const std::vector<Source>& sources) {
  if (diagnostics.stopped()) return {{.file = sources.front().name, .message = "reading it was stopped", .source = ""}};
  return diagnostics.in_order(sources);
}

/// Where the files that a source includes are; `text` has none.
enum class Includes : std::uint8_t { none, on_disk, in_memory };

struct Reading {
  std::vector<Source> sources;
  Includes includes = Includes::none;
  FileTexts texts = {};
};

std::expected<Loaded, Refusal> read_all(std::vector<Source>& sources, const Reading& reading,
                                        const net::Modules* modules, Diagnostics& diagnostics) {
  Document document;
  YamlNode* root = parse(sources.front().text, 0, document, diagnostics);
  if (root == nullptr) return std::unexpected(ended(diagnostics, sources));

  if (reading.includes != Includes::none) {
    include_files(*root, sources, whole_text, document, diagnostics,
                  reading.includes == Includes::in_memory ? &reading.texts : nullptr);
  } else if (const Entry* include = root->find("include")) {
    diagnostics.error(include->place, "'include' needs a file to start from; this text has none");
  }
  if (!has_bounded_size(*root, diagnostics)) return std::unexpected(ended(diagnostics, sources));
  ReloadCache cache(sources, *root);
  apply_defaults(*root, cluster_shape());
  expand_ranges(*root, document, diagnostics);
  if (!has_bounded_size(*root, diagnostics)) return std::unexpected(ended(diagnostics, sources));
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

std::expected<Loaded, Refusal> load_source(Reading reading, const net::Modules* modules, const std::stop_token& stop) {
  auto& sources = reading.sources;
  Diagnostics diagnostics(stop);
  try {
    return read_all(sources, reading, modules, diagnostics);
  } catch (const ReadingEnded&) {
    return std::unexpected(ended(diagnostics, sources));
  }
}

/// Nothing when `cache` does not help, or there is anything to say about the file, which takes the places of the whole
/// text.
std::optional<Loaded> load_incrementally(const Source& source, const ReloadCache& cache,
                                         const std::vector<Service>& before, const net::Modules* modules,
                                         Diagnostics& diagnostics) {
  std::vector<Source> sources = {source};
  Document document;
  IncrementalReader incremental(cache);
  YamlNode* root = parse(incremental(source), 0, document, diagnostics);
  if (root == nullptr) return std::nullopt;
  include_files(*root, sources, std::ref(incremental), document, diagnostics);
  if (!incremental.covers(*root) || !has_bounded_size(*root, diagnostics)) return std::nullopt;
  apply_defaults(*root, cluster_shape());
  expand_ranges(*root, document, diagnostics);
  if (!has_bounded_size(*root, diagnostics)) return std::nullopt;
  Reader reader(diagnostics);
  Cluster cluster = read(*root, reader);
  if (diagnostics.any()) return std::nullopt;
  const auto count = cluster.services.size();
  auto services = incremental.merge(before, std::move(cluster.services));
  if (!services || !has_bounded_size(*services)) return std::nullopt;
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

std::expected<Loaded, Refusal> load(const std::string& path, const net::Modules* modules, std::stop_token stop) {
  return reload(path, {}, {}, modules, std::move(stop));
}

std::expected<Loaded, Refusal> reload(const std::string& path, const ReloadCache& cache,
                                      const std::vector<Service>& before, const net::Modules* modules,
                                      std::stop_token stop) {
  auto source = open_file(path);
  if (!source) return std::unexpected(std::move(source.error()));
  if (!cache.empty()) {
    Diagnostics diagnostics(stop);
    try {
      if (auto loaded = load_incrementally(*source, cache, before, modules, diagnostics)) return *std::move(loaded);
    } catch (const ReadingEnded&) {  // NOLINT(bugprone-empty-catch): the whole reading ends so too, and says why
    }
  }
  std::vector<Source> sources;
  sources.push_back(*std::move(source));
  return load_source({.sources = std::move(sources), .includes = Includes::on_disk}, modules, stop);
}

std::expected<Loaded, Refusal> load_files(std::vector<Source> files, const net::Modules* modules,
                                          std::stop_token stop) {
  FileTexts texts;
  for (auto& file : files | std::views::drop(1)) texts.emplace(normal_path(file.name), std::move(file.text));
  files.resize(1);
  return load_source({.sources = std::move(files), .includes = Includes::in_memory, .texts = std::move(texts)}, modules,
                     stop);
}

std::expected<Loaded, Refusal> load_text(std::string name, std::string text, const net::Modules* modules,
                                         std::stop_token stop) {
  std::vector<Source> sources;
  sources.push_back({.name = std::move(name), .text = std::move(text)});
  return load_source({.sources = std::move(sources)}, modules, stop);
}

}  // namespace config
