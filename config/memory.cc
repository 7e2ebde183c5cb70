#include "config/memory.h"

#include <algorithm>
#include <string>
#include <unordered_set>

namespace config {
namespace {

/// Whether nothing but blanks and comments is there.
bool says_nothing(std::string_view text) {
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
constexpr std::string_view end_mark = ".end-";

/// A member behind the last one that is to be read, in source `index`: if it is found where it was written, the one
/// before it is whole, whatever else follows it in the source.
std::string end_name(std::size_t index) { return std::string(end_mark) + std::to_string(index); }

/// Whether split() cut each source just where the parser found a service.
template <class Sources>
bool agree(const Sources& sources, const YamlNode& root) {
  const Entry* services = root.find("services");
  if (services == nullptr) return false;
  const auto& entries = services->value->entries;
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < sources.size(); ++i) {
    for (const auto& member : split(sources[i].text).members) {
      const Place place = {.source = i, .line = member.line, .column = member.column};
      if (count == entries.size() || entries[count].place != place) return false;
      ++count;
    }
  }
  return count == entries.size();
}

}  // namespace

Memory::Memory(const std::vector<Source>& sources, const YamlNode& root) {
  if (!agree(sources, root)) return;
  for (const auto& source : sources) {
    if (add(source, split(source.text))) continue;
    services_.clear();
    return;
  }
}

bool Memory::add(const Source& source, const Members& parts) {
  if (!says_nothing(parts.before) || !says_nothing(parts.after)) {
    frames_.emplace_back(source.name, std::string(parts.before) + '\n' + std::string(parts.after));
  }
  for (const auto& member : parts.members) services_.emplace(member.text, services_.size());
  return std::ranges::none_of(parts.members, [](const Member& member) { return has_anchor(member.text); });
}

std::string_view Sieve::operator()(const Source& source) {
  const auto parts = split(source.text);
  if (!all_.add(source, parts)) has_anchors_ = true;
  std::string unknown;
  for (const auto& member : parts.members) {
    const auto known = known_.services_.find(member.text);
    const bool is_known = known != known_.services_.end();
    order_.push_back(is_known ? std::optional(known->second) : std::nullopt);
    if (!is_known) unknown += member.text;
  }
  std::string text(parts.before);
  if (!unknown.empty()) {
    text += "services:\n" + unknown;
    if (!text.ends_with('\n')) text += '\n';
    text += std::string(parts.members.front().column - 1, ' ') + end_name(left_.size()) + ": {}\n";
  } else if (!parts.members.empty()) {
    text += "services: {}\n";
  }
  if (!parts.after.empty() && !text.ends_with('\n')) text += '\n';
  return left_.emplace_back(source.name, text += parts.after).text;
}

bool Sieve::holds(YamlNode& root) const {
  if (all_.frames_ != known_.frames_ || !agree(left_, root)) return false;
  auto& services = root.find("services")->value->entries;
  std::erase_if(services, [](const Entry& entry) { return entry.name.starts_with(end_mark); });
  return true;
}

std::optional<std::vector<Service>> Sieve::all(const std::vector<Service>& before, std::vector<Service> read) const {
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
