#include "config/yaml/document.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <spanstream>
#include <unordered_map>
#include <unordered_set>

#include "config/yaml/yaml_text.h"

// yaml-cpp's tree accepts duplicate keys, knows no `<<` and forgets most places. So the tree is built here, from its
// events: they carry a mark each and cost a fraction of the memory.

namespace config {
namespace {

constexpr std::size_t max_depth = 32;              // a cluster file needs about eight
constexpr std::size_t max_unfolded = 2'000'000;    // nodes, each alias counted as what it stands for
constexpr std::string_view plain_tag = "?";        // yaml-cpp's tag of an unquoted scalar
constexpr std::string_view nonspecific_tag = "!";  // its tag of a quoted or block scalar
constexpr std::string_view merge_name = "<<";

/// Leaves the parser from inside an event; never leaves this file.
struct Refused {
  Place place;
  std::string message;
};

/// What has an anchor, and how many nodes it stands for; the node is null while it is still being read.
struct Anchor {
  YamlNode* node = nullptr;
  std::size_t unfolded = 1;
};

/// A map or sequence whose end is still to come.
struct Open {
  YamlNode* node = nullptr;
  YAML::anchor_t anchor = 0;
  bool flow = false;
  std::size_t unfolded = 1;
  std::optional<Entry> key = {};             ///< a map's, that still lacks its value
  std::vector<const YamlNode*> merges = {};  ///< values of `<<`
};

class Builder : public YAML::EventHandler {
 public:
  Builder(const YamlText& text, Document& document, Diagnostics& diagnostics)
      : text_(text), document_(document), diagnostics_(diagnostics) {}

  [[nodiscard]] YamlNode* root() const { return root_; }

  /// The innermost `{` or `[` without its end; null outside of all.
  [[nodiscard]] const YamlNode* open_flow() const {
    return open_.empty() || !open_.back().flow ? nullptr : open_.back().node;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (root_ != nullptr) throw Refused{text_.place(mark), "a second YAML document begins here; expected only one"};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto place = text_.place(mark);
    // The mark of what is not written is that of the next token; the key is what the reader must look at.
    if (!open_.empty() && open_.back().key && open_.back().key->place.line != place.line) {
      place = open_.back().key->place;
    }
    add(YamlNode{.kind = YamlNode::Kind::null, .place = place}, anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const auto place = text_.place(mark);
    check_tag(place, tag);
    if (tag == nonspecific_tag && !text_.quote_is_closed(place)) {
      throw Refused{place, "the quote that opens here is never closed"};
    }
    add(YamlNode{.kind = YamlNode::Kind::scalar, .plain = tag == plain_tag, .place = place, .text = value}, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t alias) override {
    const auto place = text_.place(mark);
    const auto found = anchors_.find(alias);
    if (found == anchors_.end() || found->second.node == nullptr) {
      throw Refused{place, "this alias refers to a value that contains it"};
    }
    attach(*found->second.node, found->second.unfolded, place);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    begin(YamlNode::Kind::sequence, mark, tag, anchor, style);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    begin(YamlNode::Kind::map, mark, tag, anchor, style);
  }

  void OnSequenceEnd() override { end(); }
  void OnMapEnd() override {
    refuse_duplicates(*open_.back().node);
    merge(open_.back());
    end();
  }

 private:
  static void check_tag(Place place, const std::string& tag) {
    if (tag.empty() || tag == plain_tag || tag == nonspecific_tag) return;
    throw Refused{place, fmt::format("the YAML tag {} is not supported", in_quotes(tag))};
  }

  void begin(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
             YAML::EmitterStyle::value style) {
    diagnostics_.go_on();
    const auto place = text_.place(mark);
    check_tag(place, tag);
    if (open_.size() == max_depth) {
      throw Refused{place, fmt::format("nested more than {} levels deep", max_depth)};
    }
    if (anchor != 0) anchors_[anchor] = {};
    document_.push_back(YamlNode{.kind = kind, .place = place});
    open_.push_back({.node = &document_.back(), .anchor = anchor, .flow = style == YAML::EmitterStyle::Flow});
  }

  void end() {
    const Open done = std::move(open_.back());
    open_.pop_back();
    if (done.anchor != 0) anchors_[done.anchor] = {.node = done.node, .unfolded = done.unfolded};
    attach(*done.node, done.unfolded, done.node->place);
  }

  void add(YamlNode node, YAML::anchor_t anchor) {
    diagnostics_.go_on();
    if (is_key()) {
      take_key(node);
      return;
    }
    const auto place = node.place;
    document_.push_back(std::move(node));
    if (anchor != 0) anchors_[anchor] = {.node = &document_.back(), .unfolded = 1};
    attach(document_.back(), 1, place);
  }

  [[nodiscard]] bool is_key() const {
    return !open_.empty() && open_.back().node->kind == YamlNode::Kind::map && !open_.back().key;
  }

  void take_key(const YamlNode& node) {
    if (node.kind != YamlNode::Kind::scalar) throw Refused{node.place, "a key is missing before this ':'"};
    open_.back().key = Entry{.name = node.text, .place = node.place};
  }

  /// Gives a finished value to the map or sequence around it. `place` is where it stands there.
  void attach(YamlNode& value, std::size_t unfolded, Place place) {
    if (open_.empty()) {
      root_ = &value;
      return;
    }
    Open& parent = open_.back();
    parent.unfolded += unfolded;
    if (parent.unfolded > max_unfolded) throw Refused{place, "the aliases up to here expand to too many values"};
    if (parent.node->kind == YamlNode::Kind::sequence) {
      parent.node->entries.push_back({.name = "", .place = place, .value = &value});
    } else if (!parent.key) {
      if (value.kind != YamlNode::Kind::scalar) throw Refused{place, "a key must be text"};
      parent.key = Entry{.name = value.text, .place = place};
    } else if (parent.key->name == merge_name) {
      add_merge(parent, value, place);
      parent.key.reset();
    } else {
      parent.key->value = &value;
      parent.node->entries.push_back(*std::exchange(parent.key, std::nullopt));
    }
  }

  static void add_merge(Open& parent, const YamlNode& value, Place place) {
    const auto add_one = [&](const YamlNode& from) {
      if (from.kind != YamlNode::Kind::map) throw Refused{place, "'<<' merges maps; expected a map or a list of maps"};
      parent.merges.push_back(&from);
    };
    if (value.kind != YamlNode::Kind::sequence) {
      add_one(value);
    } else {
      for (const auto& item : value.entries) add_one(*item.value);
    }
  }

  void refuse_duplicates(YamlNode& map) {
    std::unordered_map<std::string_view, const Entry*> seen;
    seen.reserve(map.entries.size());
    for (const auto& entry : map.entries) {
      const auto [first, is_new] = seen.emplace(entry.name, &entry);
      if (is_new) continue;
      diagnostics_.error(entry.place, fmt::format("duplicate key {}; the first is on line {}", in_quotes(entry.name),
                                                  first->second->place.line));
    }
    if (seen.size() == map.entries.size()) return;
    std::vector<Entry> unique;
    for (auto& entry : map.entries) {
      if (seen.at(entry.name) == &entry) unique.push_back(entry);
    }
    map.entries = std::move(unique);
  }

  /// Explicit keys win over merged ones, and an earlier merge over a later one (yaml.org/type/merge.html).
  static void merge(Open& map) {
    if (map.merges.empty()) return;
    std::unordered_set<std::string> names;
    for (const auto& entry : map.node->entries) names.insert(entry.name);
    for (const YamlNode* from : map.merges) {
      for (const auto& entry : from->entries) {
        if (names.insert(entry.name).second) map.node->entries.push_back(entry);
      }
    }
  }

  const YamlText& text_;
  Document& document_;
  Diagnostics& diagnostics_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, Anchor> anchors_;
  YamlNode* root_ = nullptr;
};

}  // namespace

const Entry* YamlNode::find(std::string_view name) const {
  const auto found = std::ranges::find(entries, name, &Entry::name);
  return found == entries.end() ? nullptr : &*found;
}

YamlNode* parse(std::string_view source, std::uint32_t index, Document& document, Diagnostics& diagnostics) {
  const YamlText text(source, index);
  if (auto fault = text.not_text()) {
    diagnostics.error(fault->place, std::move(fault->message));
    return nullptr;
  }
  Builder builder(text, document, diagnostics);
  try {
    // Without a newline at the end yaml-cpp complains of an open quote where the file ends, with it where it begins.
    const std::string ended = source.ends_with('\n') ? "" : std::string(source) + '\n';
    std::ispanstream stream(ended.empty() ? source : std::string_view(ended));
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const ReadingEnded&) {
    return nullptr;
  } catch (const Refused& refused) {
    diagnostics.error(refused.place, refused.message);
    return nullptr;
  } catch (const YAML::Exception& error) {
    auto fault = text.syntax_fault(error.mark, error.msg, builder.open_flow());
    diagnostics.error(fault.place, std::move(fault.message));
    return nullptr;
  } catch (const std::exception& error) {
    diagnostics.error({.source = index}, fmt::format("cannot be parsed: {}", error.what()));
    return nullptr;
  }
  if (builder.root() == nullptr && index == 0)
    diagnostics.error({.source = index}, "is empty; expected a cluster file");
  return builder.root();
}

}  // namespace config
