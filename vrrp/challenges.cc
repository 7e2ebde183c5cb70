#include "vrrp/challenges.h"

#include <utility>

#include "vrrp/sequences.h"

namespace vrrp {

bool is_confirmed(const HeldAdvert& held, std::uint64_t answer, Instant now) {
  const Duration waited = now - held.arrived;
  return waited <= answer_patience && held.sequence < answer &&
         answer - held.sequence <= to_sequence(waited + sequence_tolerance);
}

bool Challenges::is_due(const net::Address& other, Duration pause, Instant now) const {
  const auto found = questions_.find(other);
  return found == questions_.end() || !found->second.asked || now - *found->second.asked >= pause;
}

std::uint64_t Challenges::ask(const net::Address& other, std::uint64_t random, Instant now) {
  Question& question = questions_[other];
  if (question.challenge == 0 || now - question.made > answer_patience) {
    question.challenge = random;
    question.made = now;
  }
  question.asked = now;
  if (!question.unanswered_since) question.unanswered_since = now;
  return question.challenge;
}

bool Challenges::take_answer(const net::Address& other, std::uint64_t response, Instant now) {
  const auto found = questions_.find(other);
  if (response == 0 || found == questions_.end()) return false;
  Question& question = found->second;
  if (response != question.challenge || now - *question.asked > answer_patience) return false;
  question.challenge = 0;
  question.unanswered_since.reset();
  return true;
}

bool Challenges::hold(const net::Address& other, HeldAdvert held) {
  Question& question = questions_[other];
  const bool is_over =
      question.held && question.unanswered_since && held.arrived - *question.unanswered_since > answer_patience;
  question.held = std::move(held);
  return !is_over;
}

std::optional<HeldAdvert> Challenges::take_held(const net::Address& other) {
  const auto found = questions_.find(other);
  return found == questions_.end() ? std::nullopt : std::exchange(found->second.held, std::nullopt);
}

}  // namespace vrrp
