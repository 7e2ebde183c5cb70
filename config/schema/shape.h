#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// What a value of the cluster file looks like, as data: the reader checks by it, and the reference in
/// docs/configuration.md and the JSON Schema are made from it, so that the three cannot disagree.
namespace config {

struct Shape;

struct KeyShape {
  std::string name = {};
  std::string meaning = {};      ///< one sentence or two, without a full stop
  std::string example = {};      ///< a YAML value
  std::string when_absent = {};  ///< the default as the file would write it, or in words; empty when required
  bool required = false;
  std::vector<Shape> of;  ///< `of[0]`, and no more: its value's
};

/// Keys of a map of which one, and not more, is to be given.
struct Alternatives {
  std::vector<std::string> names = {};
  bool required = true;  ///< false: none is fine too
};

struct Shape {
  enum class Kind : std::uint8_t {
    boolean,
    integer,  ///< minimum..maximum
    text,     ///< by `pattern`
    choice,   ///< one of `choices`
    list,     ///< of `of[0]`, at least `minimum` items
    map,      ///< NAME: `of[0]`, the names by `pattern`
    object,   ///< `keys`
    any_of,   ///< one of `of`
  };

  Kind kind = Kind::text;
  std::string expected = {};  ///< ends the sentence "expected ...": "a whole number from 1 to 255"
  std::string pattern = {};   ///< ECMAScript, anchored; a first filter: the reader checks more
  std::int64_t minimum = 0;
  std::int64_t maximum = 0;
  std::vector<std::string> choices = {};
  std::vector<Shape> of = {};
  std::string noun = {};  ///< what an object is called in messages, and its heading in the reference: "virtual router"
  bool partial = false;   ///< an object that gives defaults to those of its noun: no key is needed
  std::vector<KeyShape> keys = {};
  std::vector<Alternatives> alternatives = {};
};

}  // namespace config
