#include "config/include.h"

#include <fmt/format.h>
#include <fnmatch.h>
#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>

#include "config/file.h"

namespace config {
namespace {

constexpr std::size_t max_files = 1000;
constexpr auto key_name = "include";

/// `text` so that glob(7) takes none of it for a wildcard.
std::string literal(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '*' || c == '?' || c == '[' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

/// The files that a path or glob names, sorted, seen from `folder`; a path itself whether it is there or not.
std::vector<std::string> matches(const std::filesystem::path& folder, const std::string& pattern,
                                 const FileTexts* texts) {
  if (pattern.find_first_of("*?[") == std::string::npos) return {(folder / pattern).string()};
  std::vector<std::string> paths;
  const auto whole = (std::filesystem::path(literal(folder.string())) / pattern).string();
  if (texts != nullptr) {
    const auto wanted = normal_path(whole);
    for (const auto& [path, text] : *texts) {
      if (fnmatch(wanted.c_str(), path.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0) paths.push_back(path);
    }
    return paths;
  }
  glob_t found = {};
  if (::glob(whole.c_str(), 0, nullptr, &found) == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  return paths;
}

/// What tells two names of one file from two files.
std::string identity(const std::string& path, const FileTexts* texts) {
  if (texts != nullptr) return normal_path(path);
  std::error_code error;
  const auto canonical = std::filesystem::weakly_canonical(path, error);
  return error ? path : canonical.string();
}

std::expected<std::string, std::string> text_of(const std::string& path, const FileTexts* texts) {
  if (texts == nullptr) return read_file(path);
  const auto found = texts->find(normal_path(path));
  if (found == texts->end()) return std::unexpected("is not among the files that were sent");
  return found->second;
}

class Includer {
 public:
  Includer(YamlNode& root, std::vector<Source>& sources, const ToParse& to_parse, Document& document,
           Diagnostics& diagnostics, const FileTexts* texts)
      : root_(root),
        sources_(sources),
        to_parse_(to_parse),
        document_(document),
        diagnostics_(diagnostics),
        texts_(texts) {
    seen_.emplace(identity(sources.front().name, texts), Place{.source = 0, .line = 1, .column = 1});
    for (auto& entry : root.entries) {
      top_.emplace(entry.name, top_.size());
      remember_members(entry);
    }
  }

  /// Reads what the file asks for, merges it, and goes on with what that asks for.
  void follow(const YamlNode& file) {
    const Entry* includes = file.find(key_name);
    if (includes == nullptr) return;
    const YamlNode& value = *includes->value;
    if (value.kind == YamlNode::Kind::scalar) include(value);
    if (value.kind != YamlNode::Kind::sequence) return;  // the reader reports what is neither
    for (const auto& item : value.entries) {
      if (item.value->kind == YamlNode::Kind::scalar) include(*item.value);
    }
  }

 private:
  void include(const YamlNode& item) {
    diagnostics_.go_on();
    const auto folder = std::filesystem::path(sources_[item.place.source].name).parent_path();
    for (const auto& path : matches(folder, item.text, texts_)) {
      if (sources_.size() == max_files) {
        return diagnostics_.error(item.place, fmt::format("more than {} files are included", max_files));
      }
      read(path, item.place);
    }
  }

  void read(const std::string& path, Place place) {
    const auto [first, is_new] = seen_.emplace(identity(path, texts_), place);
    if (!is_new) {
      return diagnostics_.error(place, fmt::format("{} was already read ({}:{})", in_quotes(path),
                                                   sources_[first->second.source].name, first->second.line));
    }
    auto text = text_of(path, texts_);
    if (!text) return diagnostics_.error(place, fmt::format("{} {}", in_quotes(path), text.error()));
    const auto index = static_cast<std::uint32_t>(sources_.size());
    sources_.push_back({.name = path, .text = *std::move(text)});
    const YamlNode* file = parse(to_parse_(sources_.back()), index, document_, diagnostics_);
    if (file == nullptr) return;
    if (file->kind != YamlNode::Kind::map) {
      return diagnostics_.error(file->place, "expected a map of keys, as in a cluster file");
    }
    for (const auto& entry : file->entries) {
      if (entry.name != key_name) merge(entry);
    }
    follow(*file);
  }

  void merge(const Entry& given) {
    diagnostics_.go_on();
    const auto [known, is_new] = top_.emplace(given.name, root_.entries.size());
    if (is_new) {
      root_.entries.push_back(given);
      remember_members(given);
      return;
    }
    const Entry& ours = root_.entries[known->second];
    auto& target = *ours.value;
    const auto& from = *given.value;
    const bool both_maps = target.kind == YamlNode::Kind::map && from.kind == YamlNode::Kind::map;
    const bool both_lists = target.kind == YamlNode::Kind::sequence && from.kind == YamlNode::Kind::sequence;
    if (both_maps) {
      for (const auto& member : from.entries) merge_member(given.name, target, member);
    } else if (both_lists) {
      target.entries.insert(target.entries.end(), from.entries.begin(), from.entries.end());
    } else {
      refuse_second(given, ours.place);
    }
  }

  void merge_member(const std::string& key, YamlNode& target, const Entry& member) {
    const auto [first, is_new] = members_[key].emplace(member.name, member.place);
    if (!is_new) return refuse_second(member, first->second);
    target.entries.push_back(member);
  }

  void refuse_second(const Entry& second, Place first) {
    diagnostics_.error(second.place, fmt::format("{} is already defined ({}:{})", in_quotes(second.name),
                                                 sources_[first.source].name, first.line));
  }

  void remember_members(const Entry& entry) {
    if (entry.value->kind != YamlNode::Kind::map) return;
    auto& known = members_[entry.name];
    for (const auto& member : entry.value->entries) known.emplace(member.name, member.place);
  }

  YamlNode& root_;
  std::vector<Source>& sources_;
  const ToParse& to_parse_;
  Document& document_;
  Diagnostics& diagnostics_;
  const FileTexts* texts_;
  std::map<std::string, Place> seen_;                                      ///< files, by identity()
  std::unordered_map<std::string, std::size_t> top_;                       ///< the places of the keys in root_
  std::map<std::string, std::unordered_map<std::string, Place>> members_;  ///< of the maps at the top, by their key
};

}  // namespace

std::string normal_path(const std::string& path) { return std::filesystem::path(path).lexically_normal().string(); }

void include_files(YamlNode& root, std::vector<Source>& sources, const ToParse& to_parse, Document& document,
                   Diagnostics& diagnostics, const FileTexts* texts) {
  Includer(root, sources, to_parse, document, diagnostics, texts).follow(root);
}

}  // namespace config
