#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/schema/reader.h"
#include "config/yaml/document.h"

namespace config {

/// Finds where something of the cluster was written, by its path in the file: {"services", "web", "check", "timeout"};
/// an item of a list by its index. The document, which must stay as it is, is searched when a message needs it; of
/// large maps an index is kept then.
class Origin {
 public:
  using Path = std::vector<std::string>;

  /// All must outlive this.
  Origin(const YamlNode& root, const Reader& reader, std::span<const Source> sources)
      : root_(root), reader_(reader), sources_(sources) {}

  /// A single value's own place; the name's place for maps and lists; what comes nearest for what is not written.
  [[nodiscard]] Place place(const Path& path) const;

  /// Whether the value was read as it was meant: it is there and was not refused, or it was left out, and nothing
  /// beside it looks like a misspelling of it.
  [[nodiscard]] bool valid(const Path& path) const;

  /// Like place(), but the name's place for single values too.
  [[nodiscard]] Place name_place(const Path& path) const;

  [[nodiscard]] bool has(const Path& path) const { return find(path).missing == 0; }

  /// "line 12", for a message about something else; with the file's name when it is another than that of `beside`.
  [[nodiscard]] std::string line(const Path& path, Place beside) const;

 private:
  struct Found {
    const YamlNode* node;  ///< the deepest on the path
    const Entry* entry;    ///< that names it; null for the root
    std::size_t missing;   ///< steps of the path that are not there
  };
  using Index = std::unordered_map<std::string_view, const Entry*>;
  [[nodiscard]] Found find(const Path& path) const;
  [[nodiscard]] const Entry* step(const YamlNode& node, std::string_view name) const;

  const YamlNode& root_;
  const Reader& reader_;
  std::span<const Source> sources_;
  mutable std::unordered_map<const YamlNode*, Index> indices_;
};

}  // namespace config
