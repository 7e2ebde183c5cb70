#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "config/cluster.h"
#include "config/service_chunks.h"
#include "config/yaml/diagnostics.h"
#include "config/yaml/document.h"

namespace config {

/// What the text of a good cluster file was, so that after a change only those services are read whose text is new: all
/// else that decides what a service's text means (`defaults`, anchors, the file's other keys) must be the same, letter
/// by letter. Empty for a file of which that cannot be said: with an anchor inside a service, or a form of `services`
/// that split() does not know.
class ReloadCache {
 public:
  ReloadCache() = default;

  /// Of files that gave the tree `root`, which nothing has changed but include_files().
  ReloadCache(const std::vector<Source>& sources, const YamlNode& root);

  [[nodiscard]] bool empty() const { return services_.empty(); }

 private:
  friend class IncrementalReader;

  /// The text around the services, and whose; files that have nothing else do not count.
  using Frame = std::pair<std::string, std::string>;

  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  /// Takes in the next source's chunks; false when a service may define an anchor.
  bool add(const Source& source, const ServiceChunks& parts);

  std::vector<Frame> frames_;
  /// The place in Cluster::services, by the text.
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> services_;
};

/// Reads of the sources only what a cache does not know.
class IncrementalReader {
 public:
  /// `cache` must outlive this.
  explicit IncrementalReader(const ReloadCache& cache) : known_(cache) {}

  /// `source` without the services that are known. What earlier calls returned stays valid.
  [[nodiscard]] std::string_view operator()(const Source& source);

  /// After all sources were given and the rest of them was parsed into `root`: whether it represents them all. Removes
  /// from the tree what this added.
  [[nodiscard]] bool covers(YamlNode& root) const;

  /// The services of all the sources: those of `before` that are known, and between them those that were `read`.
  /// Nothing when two have one name.
  [[nodiscard]] std::optional<std::vector<Service>> merge(const std::vector<Service>& before,
                                                          std::vector<Service> read) const;

  /// Of all the sources.
  [[nodiscard]] ReloadCache cache() && { return has_anchors_ ? ReloadCache() : std::move(all_); }

 private:
  const ReloadCache& known_;
  ReloadCache all_;
  bool has_anchors_ = false;
  std::deque<Source> remaining_;
  std::vector<std::optional<std::size_t>> order_;  ///< known ones by their place
};

}  // namespace config
