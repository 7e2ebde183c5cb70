#pragma once

#include <array>
#include <string_view>
#include <utility>

namespace order_sim {

/// What can be wrong with a director on purpose, to show that the rules notice one that acts so.
enum class Mutation : std::uint8_t {
  none,
  forgets_ended,     ///< an order that is over is forgotten at once
  forgets_early,     ///< it is forgotten when one other director has it
  counts_alone,      ///< the counter does not follow the orders of others
  believes_last,     ///< of two orders the one that comes last holds
  keeps_to_itself,   ///< a director sends only the orders that were given to it
  claims_more,       ///< it says that it has sent all when it has not
  saves_nothing,     ///< the disk says yes and does nothing
  says_saved,        ///< what is in force is told as saved
  starts_from_zero,  ///< the counter does not survive a restart
  knows_its_clock,   ///< times are sent as this node's clock has them
  ends_alone,        ///< a weight whose time is over is as if it had never been
};

inline constexpr auto mutations = std::to_array<std::pair<Mutation, std::string_view>>({
    {Mutation::forgets_ended, "forgets ended"},
    {Mutation::forgets_early, "forgets early"},
    {Mutation::counts_alone, "counts alone"},
    {Mutation::believes_last, "believes last"},
    {Mutation::keeps_to_itself, "keeps to itself"},
    {Mutation::claims_more, "claims more"},
    {Mutation::saves_nothing, "saves nothing"},
    {Mutation::says_saved, "says saved"},
    {Mutation::starts_from_zero, "starts from zero"},
    {Mutation::knows_its_clock, "knows its clock"},
    {Mutation::ends_alone, "ends alone"},
});

}  // namespace order_sim
