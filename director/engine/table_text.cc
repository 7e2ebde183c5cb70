#include "director/engine/table_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

namespace director {
namespace {

constexpr std::size_t most_lines = 100;

struct Kind {
  std::string_view noun, what;
};
constexpr Kind other = {"command", "carried out"};

template <class... Ops>
struct Visitor : Ops... {
  using Ops::operator()...;
};

Kind kind_of(const ipvs::Op& op) {
  return std::visit(Visitor{[](const ipvs::AddService&) { return Kind{"service", "added"}; },
                            [](const ipvs::SetService&) { return Kind{"service", "changed"}; },
                            [](const ipvs::RemoveService&) { return Kind{"service", "removed"}; },
                            [](const ipvs::AddDestination&) { return Kind{"server", "added"}; },
                            [](const ipvs::SetDestination&) { return Kind{"server", "changed"}; },
                            [](const ipvs::RemoveDestination&) { return Kind{"server", "removed"}; },
                            [](const auto&) { return other; }},
                    op);
}

}  // namespace

std::vector<std::string> table_text(std::span<const ipvs::Op> done) {
  std::vector<std::string> lines;
  if (done.size() <= most_lines) {
    for (const auto& op : done) lines.push_back(ipvs::to_string(op));
    return lines;
  }
  std::array<std::size_t, std::variant_size_v<ipvs::Op>> counts{};
  std::array<Kind, std::variant_size_v<ipvs::Op>> kinds{};
  for (const auto& op : done) {
    ++counts[op.index()];
    kinds[op.index()] = kind_of(op);
  }
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    parts.push_back(fmt::format("{} {}{} {}", counts[i], kinds[i].noun, counts[i] == 1 ? "" : "s", kinds[i].what));
  }
  lines.push_back(fmt::format("{}", fmt::join(parts, ", ")));
  return lines;
}

}  // namespace director
