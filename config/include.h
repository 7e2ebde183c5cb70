#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/yaml/diagnostics.h"
#include "config/yaml/document.h"

namespace config {

/// What of a source is to be parsed; a view that stays valid.
using ToParse = std::function<std::string_view(const Source& source)>;

/// Texts by their paths in normal form, in place of the files of this host.
using FileTexts = std::map<std::string, std::string>;

/// A path without "." and "..", as far as its text tells.
[[nodiscard]] std::string normal_path(const std::string& path);

/// Reads the files that `root`, the map of sources[0], includes, and those that they include, and merges them into it:
/// maps get the others' members, lists the others' items, anything else may be given only once. A path or glob is
/// relative to the file that names it; a glob may match nothing, a path must exist. Errors are reported at the include,
/// or in the included file. With `texts`, no file of this host is looked at.
void include_files(YamlNode& root, std::vector<Source>& sources, const ToParse& to_parse, Document& document,
                   Diagnostics& diagnostics, const FileTexts* texts = nullptr);

}  // namespace config
