#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "config/schema/shape.h"
#include "config/yaml/diagnostics.h"
#include "config/yaml/document.h"

namespace config {

/// What a name that the file gives to something looks like (ECMAScript).
inline constexpr std::string_view name_pattern = "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$";
inline constexpr std::string_view ranged_name_pattern =
    R"(^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}(\([0-9]+-[0-9]+\)[A-Za-z0-9_.-]*)?$|^\([0-9]+-[0-9]+\)[A-Za-z0-9_.-]*$)";
inline constexpr std::string_view name_rule =
    "a name is 1 to 63 letters, digits, '_', '.' and '-', and does not begin with '.' or '-'";
[[nodiscard]] bool is_name(std::string_view text);

/// Where reading stands in the document, and what it has found wrong. The types of type.h share one while they read.
///
/// A message names the value by its key and the chain of what it belongs to: "'interval' in check of service 'web'".
class Reader {
 public:
  explicit Reader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  /// To be called with each value of a map or list that is read, as often as it is: where aliases and defaults give one
  /// value to many, reading ends before memory does.
  void visit(const YamlNode& node);

  /// What the value that is read next is called: a key, or a NAME of a map with the noun of what it names.
  struct Subject {
    std::string_view noun;  ///< empty: `name` is a key
    std::string_view name;
    Place place;  ///< of the name: where something missing is reported
  };
  Subject subject;

  /// "SUBJECT: expected EXPECTED, found VALUE" with `hint` after it ("; ...", or empty). Marks `node` as failed.
  void refuse(const YamlNode& node, std::string_view expected, std::string_view hint = "");

  /// Reports a message of the caller's own at `node`, and marks it as failed.
  void fail(const YamlNode& node, std::string message);

  /// Reports what is accepted, and probably does not do what was meant.
  void warn(const YamlNode& node, std::string_view message);

  /// Reports a list that has fewer items than it needs.
  void refuse_short(const YamlNode& node, std::string_view expected);

  /// Reports a NAME that cannot be one: it goes into commands ("web/web1"), file names and metrics.
  void check_name(const Entry& entry);

  /// Whether reading this value, or something the subject needed beside it, was refused.
  [[nodiscard]] bool failed(const YamlNode& node) const { return failed_.contains(&node); }

  /// The value of one of an object's keys.
  struct Member {
    std::size_t key;  ///< index in Shape::keys
    const Entry* entry;
  };

  /// Checks a map against the keys of `shape` and returns those that are there. Reports what is unknown, missing or
  /// excludes each other, and marks `node` as failed then.
  [[nodiscard]] std::vector<Member> match(const YamlNode& node, const Shape& shape);

  /// Steps into the object of this shape, which is the present subject, until the scope ends.
  class Scope {
   public:
    Scope(Reader& reader, const Shape& object) : reader_(reader), outer_(reader.subject) {
      reader_.chain_.push_back(
          {.noun = object.noun, .name = outer_.noun.empty() ? std::string_view{} : outer_.name, .place = outer_.place});
      reader_.around_.push_back(&object);
    }
    ~Scope() {
      reader_.around_.pop_back();
      reader_.chain_.pop_back();
      reader_.subject = outer_;
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Reader& reader_;
    Subject outer_;
  };

 private:
  [[nodiscard]] std::string subject_in_context() const;
  [[nodiscard]] std::string context() const;
  /// What an object has of one of its keys.
  struct Given {
    const Entry* entry = nullptr;
    bool misspelled = false;  ///< an unknown key was perhaps meant to be this one
  };
  void unknown_key(const YamlNode& node, const Entry& entry, const Shape& shape, std::vector<Given>& given);
  void check_missing(const YamlNode& node, const Shape& shape, const std::vector<Given>& given);

  Diagnostics& diagnostics_;
  std::vector<Subject> chain_;        ///< the objects around the subject, outermost first
  std::vector<const Shape*> around_;  ///< what each of them looks like
  std::unordered_set<const YamlNode*> failed_;
  std::size_t visited_ = 0;  ///< how much was read, in units of a short text
};

/// "'2'", "a list", "a map", "nothing": a value as a message names what was found.
[[nodiscard]] std::string described(const YamlNode& node);

}  // namespace config
