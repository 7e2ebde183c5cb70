#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "config/yaml/diagnostics.h"

/// YAML text as a tree that knows where each part was written. It does not interpret the text.
namespace config {

struct YamlNode;

/// A member of a map, or an item of a sequence (which has no name).
struct Entry {
  std::string name;
  Place place;  ///< of the name; of the item itself in a sequence
  YamlNode* value = nullptr;
};

/// A value. Shared by all the aliases of its anchor, so that a small file cannot expand to a large tree: code that
/// changes it in place must expect to see it again.
struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, sequence, map };

  Kind kind = Kind::null;
  bool plain = false;  ///< a scalar without quotes: only such a one can be a number or a truth value
  Place place;
  std::string text = {};            ///< of a scalar
  std::vector<Entry> entries = {};  ///< of a map, names unique, or of a sequence; in the order of the file

  /// The member of that name; null when there is none. Linear: readers of large maps walk the entries instead.
  [[nodiscard]] const Entry* find(std::string_view name) const;
};

/// Owns the nodes of one or more sources. They stay where they are when more are added or the document moves.
using Document = std::deque<YamlNode>;

/// Parses the text of source `index` into `document` and returns its root; null after an error, which is then in
/// `diagnostics`, when it was asked to stop, and where an included file has nothing but comments. The text is YAML 1.2
/// with the merge key `<<`; refused are: what is not UTF-8, duplicate keys, keys that are not text, tags, more than one
/// document, too deep nesting, aliases that contain themselves or expand to too much. A duplicate key is an error that
/// leaves a tree: the reader can go on and find more.
[[nodiscard]] YamlNode* parse(std::string_view text, std::uint32_t index, Document& document, Diagnostics& diagnostics);

}  // namespace config
