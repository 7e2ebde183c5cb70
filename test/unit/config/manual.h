#pragma once

#include <string>

/// docs/cluster.yaml.5: docs/configuration.md as a manual page, so that there is one text to keep true.
namespace manual {

/// The whole page. Knows what that document uses of Markdown: headings, paragraphs, lists, fenced blocks, tables whose
/// first column is a key, bold, code and links.
[[nodiscard]] std::string of(const std::string& markdown);

}  // namespace manual
