#include "test/contract/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

namespace contract {
namespace {

using nlohmann::ordered_json;

/// Fields whose value is another in every run.
const std::set<std::string, std::less<>> varying = {
    "active",  "at",       "connections",   "deadline", "done",          "dropped",
    "files",   "heard_ms", "heard_seconds", "inactive", "lease_left_ms", "next_timer_ms",
    "number",  "received", "send_errors",   "sent",     "since",         "since_seconds",
    "started", "version"};

/// Fields, and lists, of sentences.
const std::set<std::string, std::less<>> sentences = {"error",   "message", "problem",  "problems", "reason",
                                                      "summary", "text",    "warnings", "waits"};

/// What tells the objects of a list apart, the first of these that an object has.
constexpr const char* keys[] = {"name", "subject", "server", "node", "address", "destination", "mark", "line"};

std::string kind_of(const ordered_json& value) {
  return value.is_number()
             ? "a number"
             : fmt::format("{} {}", value.is_array() || value.is_object() ? "an" : "a", value.type_name());
}

std::string key_of(const ordered_json& object) {
  for (const auto* key : keys) {
    if (object.contains(key)) return key;
  }
  return "";
}

bool holds_objects(const ordered_json& list) { return !list.empty() && list.front().is_object(); }

class Comparison {
 public:
  explicit Comparison(const Names& names) : names_(names) {}

  void compare(const ordered_json& recorded, const ordered_json& today, const std::string& where,
               std::string_view field) {
    if (kind_of(recorded) != kind_of(today)) return tell(where, "was {}, is {}", kind_of(recorded), kind_of(today));
    if (recorded.is_object()) return compare_objects(recorded, today, where);
    if (recorded.is_array()) return compare_lists(recorded, today, where, field);
    if (varying.contains(field)) return;
    if (sentences.contains(field)) {
      if (!says(today, recorded)) tell(where, "said {}, says {}", recorded.dump(), today.dump());
    } else if (recorded != today) {
      tell(where, "was {}, is {}", recorded.dump(), today.dump());
    }
  }

  std::vector<std::string> told;

 private:
  void compare_objects(const ordered_json& recorded, const ordered_json& today, const std::string& where) {
    for (const auto& [field, value] : recorded.items()) {
      const auto found = today.find(field);
      if (found == today.end()) {
        tell(fmt::format("{}.{}", where, field), "is gone; it was {}", value.dump());
      } else if (field == "address" && recorded.contains("agreement") && found->is_string()) {
        continue;  // another node is heard on each of its links
      } else {
        compare(value, *found, fmt::format("{}.{}", where, field), field);
      }
    }
  }

  void compare_lists(const ordered_json& recorded, const ordered_json& today, const std::string& where,
                     std::string_view field) {
    if (sentences.contains(field) && !holds_objects(recorded)) {
      for (const auto& item : recorded) {
        const bool said = std::ranges::any_of(today, [&](const auto& sentence) { return says(sentence, item); });
        if (!said) tell(where, "no longer holds a sentence such as {}; it is {}", item.dump(), today.dump());
      }
    } else if (holds_objects(recorded) || holds_objects(today)) {
      for (const auto& item : recorded) compare_item(item, today, where);
    } else if (recorded != today) {
      tell(where, "was {}, is {}", recorded.dump(), today.dump());
    }
  }

  /// An object of a list that has the same name must satisfy it; of several (two events of one server), any.
  void compare_item(const ordered_json& item, const ordered_json& today, const std::string& where) {
    const auto key = key_of(item);
    const auto label = key.empty() ? where + "[]" : fmt::format("{}[{} {}]", where, key, item[key].dump());
    std::vector<std::string> least{label + " is gone"};
    bool found = false;
    for (const auto& candidate : today) {
      if (!candidate.is_object() || (!key.empty() && candidate.value(key, ordered_json()) != item[key])) continue;
      Comparison attempt(names_);
      attempt.compare(item, candidate, label, "");
      if (!found || attempt.told.size() < least.size()) least = std::move(attempt.told);
      found = true;
      if (least.empty()) return;
    }
    told.insert(told.end(), least.begin(), least.end());
  }

  /// Whether a sentence names all that another one named.
  [[nodiscard]] bool says(const ordered_json& sentence, const ordered_json& as) const {
    if (!sentence.is_string() || !as.is_string()) return sentence == as;
    const auto& now = sentence.get_ref<const std::string&>();
    const auto& then = as.get_ref<const std::string&>();
    const auto kept = [&](const auto& name) { return !then.contains(name) || now.contains(name); };
    return then.empty() || (!now.empty() && std::ranges::all_of(names_, kept));
  }

  template <class... Arguments>
  void tell(const std::string& where, fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    told.push_back(where + " " + fmt::format(text, std::forward<Arguments>(arguments)...));
  }

  const Names& names_;
};

}  // namespace

ordered_json load(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error("read " + file.string());
  return ordered_json::parse(in);
}

void save(const std::filesystem::path& file, const ordered_json& answers) {
  std::ofstream(file) << answers.dump(1) << "\n";
}

std::vector<std::string> breaches(const ordered_json& recorded, const ordered_json& today, const Names& names) {
  std::vector<std::string> all;
  if (recorded.size() != today.size()) {
    all.push_back(fmt::format("{} answers were recorded, {} are given", recorded.size(), today.size()));
  }
  for (std::size_t i = 0; i < std::min(recorded.size(), today.size()); ++i) {
    Comparison comparison(names);
    comparison.compare(recorded[i], today[i], recorded[i]["asked"].get<std::string>() + ":", "");
    all.insert(all.end(), comparison.told.begin(), comparison.told.end());
  }
  return all;
}

std::string scrub(std::string text, const std::vector<std::pair<std::string, std::string>>& replacements) {
  for (const auto& [from, to] : replacements) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
      text.replace(at, from.size(), to);
    }
  }
  return text;
}

}  // namespace contract
