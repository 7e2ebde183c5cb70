#include "config/reload_cache.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "net/check.h"

namespace config {
namespace {

/// Whether nothing but blanks and comments is there.
bool is_blank(std::string_view text) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    const auto first = line.find_first_not_of(" \t\r");
    if (first != std::string_view::npos && line[first] != '#') return false;
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return true;
}

/// Whether the text may define an anchor, which others' aliases could mean.
bool has_anchor(std::string_view text) {
  for (auto at = text.find('&'); at != std::string_view::npos; at = text.find('&', at + 1)) {
    if (at == 0 || std::string_view(" \t\n-[{,:").contains(text[at - 1])) return true;
  }
  return false;
}

/// No service's name begins so.
constexpr std::string_view end_marker = ".end-";

/// A service behind the last one that is to be read, in source `index`: if it is found where it was written, the one
/// before it is whole, whatever else follows it in the source.
std::string end_name(std::size_t index) { return std::string(end_marker) + std::to_string(index); }

/// Whether split() cut each source just where the parser found a service.
template <class Sources>
bool matches_tree(const Sources& sources, const YamlNode& root) {
  const Entry* services = root.find("services");
  if (services == nullptr) return false;
  const auto& entries = services->value->entries;
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < sources.size(); ++i) {
    for (const auto& chunk : split(sources[i].text).chunks) {
      const Place place = {.source = i, .line = chunk.line, .column = chunk.column};
      if (count == entries.size() || entries[count].place != place) return false;
      ++count;
    }
  }
  return count == entries.size();
}

}  // namespace

ReloadCache::ReloadCache(const std::vector<Source>& sources, const YamlNode& root) {
  if (!matches_tree(sources, root)) return;
  for (const auto& source : sources) {
    if (add(source, split(source.text))) continue;
    services_.clear();
    return;
  }
}

bool ReloadCache::add(const Source& source, const ServiceChunks& parts) {
  if (!is_blank(parts.before) || !is_blank(parts.after)) {
    frames_.emplace_back(source.name, std::string(parts.before) + '\n' + std::string(parts.after));
  }
  for (const auto& chunk : parts.chunks) services_.emplace(chunk.text, services_.size());
  return std::ranges::none_of(parts.chunks, [](const ServiceChunk& chunk) { return has_anchor(chunk.text); });
}

std::string_view IncrementalReader::operator()(const Source& source) {
  const auto parts = split(source.text);
  if (!all_.add(source, parts)) has_anchors_ = true;
  std::string unknown;
  for (const auto& chunk : parts.chunks) {
    const auto known = known_.services_.find(chunk.text);
    const bool is_known = known != known_.services_.end();
    order_.push_back(is_known ? std::optional(known->second) : std::nullopt);
    if (!is_known) unknown += chunk.text;
  }
  std::string text(parts.before);
  if (!unknown.empty()) {
    text += "services:\n" + unknown;
    if (!text.ends_with('\n')) text += '\n';
    text += std::string(parts.chunks.front().column - 1, ' ') + end_name(remaining_.size()) + ": {}\n";
  } else if (!parts.chunks.empty()) {
    text += "services: {}\n";
  }
  if (!parts.after.empty() && !text.ends_with('\n')) text += '\n';
  return remaining_.emplace_back(source.name, text += parts.after).text;
}

bool IncrementalReader::covers(YamlNode& root) const {
  if (all_.frames_ != known_.frames_ || !matches_tree(remaining_, root)) return false;
  auto& services = net::must_exist(root.find("services"), "a tree that matches has services").value->entries;
  std::erase_if(services, [](const Entry& entry) { return entry.name.starts_with(end_marker); });
  return true;
}

std::optional<std::vector<Service>> IncrementalReader::merge(const std::vector<Service>& before,
                                                             std::vector<Service> read) const {
  std::vector<Service> services;
  services.reserve(order_.size());
  std::unordered_set<std::string_view> names;
  auto next = read.begin();
  for (const auto& known : order_) {
    if (known) {
      services.push_back(before[*known]);
    } else {
      services.push_back(std::move(*next++));
    }
    if (!names.insert(services.back().name).second) return std::nullopt;
  }
  return services;
}

}  // namespace config
