#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "checkers/spec.h"
#include "config/schema/type.h"

/// The types of what a check sends and looks for.
namespace config {

/// Bytes to send: text, or { hex: 0d0a }.
Type<std::string> bytes();

/// What must occur in an answer: text, { hex: 0d0a } or { regex: '^220 ' }.
Type<checkers::Match> match();

/// The instructions of a regular expression's program, which is what a byte may cost; 0 for text.
[[nodiscard]] std::uint64_t regex_instructions(const checkers::Match& match);

/// NAME: VALUE for each HTTP header; names are RFC 9110's tokens, and those that are expected are kept in lower case.
Type<std::map<std::string, std::string>> headers();
Type<std::map<std::string, checkers::Match>> expected_headers();

/// An absolute path on the director.
Type<std::string> absolute_path(std::string of_what);

}  // namespace config
