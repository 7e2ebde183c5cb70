#pragma once

#include <filesystem>
#include <string>
#include <vector>

/// The files of test/unit/config: broken/NAME.yaml with what is said about it in broken/NAME.expected, good/NAME.yaml
/// with its warnings, when it has any, in good/NAME.expected.
namespace corpus {

std::filesystem::path folder(const std::string& name);

/// The .yaml files of a folder, by name.
std::vector<std::filesystem::path> files(const std::filesystem::path& folder);

std::string text_of(const std::filesystem::path& file);
void write(const std::filesystem::path& file, const std::string& text);

/// Everything said about the file, as the user sees it who loads it from its own folder; empty for nothing.
std::string said_about(const std::filesystem::path& file);

}  // namespace corpus
