// What a router signs, and what it accepts by its signature: sequences, and hellos beside the adverts.

#include <openssl/rand.h>

#include <algorithm>
#include <utility>

#include "vrrp/link.h"
#include "vrrp/router.h"
#include "vrrp/signature.h"

namespace vrrp {

namespace {

using namespace std::chrono_literals;

/// Between one question to a node and the next; where it is in doubt, an advertisement interval if that is less.
constexpr Duration question_interval = 1s;

/// Not 0; nothing if the system has none.
std::optional<std::uint64_t> random_number() {
  std::uint64_t number = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&number), sizeof number) != 1) return std::nullopt;
  return number == 0 ? 1 : number;
}

}  // namespace

/// In microseconds.
std::uint64_t Router::time_of_day() const {
  const auto now = loop_->clock().wall().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

std::uint64_t Router::next_sequence() { return sequences_.next(loop_->clock().now(), time_of_day()); }

bool Router::signs() const { return spec_.signing && spec_.signing->mode != SigningMode::receive_only; }

/// Whether an advert that passed every check is of now. Who answers challenges is asked where its sequence does not
/// show that, and its advert waits for the answer.
void Router::judge(const net::Address& source, Checked checked, bool can_ask, Instant now, Received& received) {
  const auto& [_, sequence, understands_hello, answers_challenges] = checked.packet;
  if (!sequence) return accept(source, checked.advert, now, received);
  if (!can_ask || !answers_challenges) {
    if (!sequences_.note_advert(source, *sequence, now, time_of_day())) return refuse_replay(source, now, received);
    if (understands_hello) received.questions.try_emplace(source, Question::plain);
    return accept(source, checked.advert, now, received);
  }
  if (sequences_.note_fresh_advert(source, *sequence, now, time_of_day())) {
    received.questions.try_emplace(source, Question::challenge);
    return accept(source, checked.advert, now, received);
  }
  received.questions[source] = Question::doubt;
  HeldAdvert held{.advert = std::move(checked.advert), .sequence = *sequence, .arrived = now};
  if (!challenges_.hold(source, std::move(held))) refuse_replay(source, now, received);
}

void Router::refuse_replay(const net::Address& source, Instant now, Received& received) {
  last_rejected_ = {.source = source, .reason = RejectReason::replay, .heard = now};
  reject(source, RejectReason::replay, received);
}

/// A master says nothing but adverts: who hears them asks, and the question tells the master what it would ask itself.
void Router::send_questions(const std::map<net::Address, Question>& questions, const Identity& self, Instant now) {
  for (const auto& [other, question] : questions) {
    const auto pause =
        question == Question::doubt ? std::min<Duration>(spec_.advertise, question_interval) : question_interval;
    if (!challenges_.is_due(other, pause, now)) continue;
    const auto random = random_number();
    if (!random) continue;
    const auto challenge = challenges_.ask(other, *random, now);
    send_hello(other, {.router_id = spec_.router_id,
                       .question = true,
                       .from = self,
                       .nonces = question == Question::plain ? std::nullopt : std::optional(Nonces{challenge, 0})});
  }
}

/// What does not arrive is asked for again; an error of the link shows in the adverts.
void Router::send_hello(const net::Address& other, const Hello& hello) {
  const Path path{.source = *source_, .destination = other};
  const auto packet = sign(encode(hello), path, spec_.signing->keys.front(), next_sequence());
  std::ignore = port_->send(packet, path.source, path.destination);
}

/// `self`: this node, where it may ask and answer.
void Router::receive_hello(const net::RawSocket::Packet& packet, const Identity* self, Instant now,
                           Received& received) {
  const net::Address& source = packet.source;
  const auto verified = check_hello(packet);
  if (!verified) return reject(source, verified.error(), received);
  auto hello = decode_hello(verified->advert);
  if (!hello) return reject(source, hello.error(), received);
  const std::uint64_t sequence = *verified->sequence;
  const bool has_proof = self != nullptr && hello->nonces && verified->answers_challenges;
  const bool is_answer = has_proof && !hello->question && challenges_.take_answer(source, hello->nonces->response, now);
  bool is_believed = is_answer;
  if (is_answer) {
    note_answer(source, sequence, now, received);
  } else if (has_proof && hello->question) {
    // Its sender may become master, or hear us: it is proven before that.
    is_believed = sequences_.note_fresh_question(source, sequence, now, time_of_day());
    if (!is_believed) received.questions[source] = Question::doubt;
  } else {
    if (!sequences_.note_hello(source, sequence, now, time_of_day()))
      return reject(source, RejectReason::replay, received);
    is_believed = !has_proof;  // an answer may come late, after another one or another question
  }
  if (is_believed) received.identities.push_back({.source = source, .identity = std::move(hello->from)});
  if (self == nullptr || !hello->question) return;
  const auto nonces = hello->nonces.transform([](const Nonces& theirs) { return Nonces{0, theirs.challenge}; });
  send_hello(source, {.router_id = spec_.router_id, .question = false, .from = *self, .nonces = nonces});
}

/// An answer shows that its sender lives, and since when: an advert that was held for it is as good as new, or old.
void Router::note_answer(const net::Address& source, std::uint64_t sequence, Instant now, Received& received) {
  const bool was_fresh = sequences_.note_answer(source, sequence, now, time_of_day());
  const auto held = challenges_.take_held(source);
  if (!held) return;
  if (was_fresh || !is_confirmed(*held, sequence, now)) return refuse_replay(source, now, received);
  accept(source, held->advert, now, received);
}

/// Never accepted without a signature, whatever the signing mode says of adverts.
std::expected<VerifiedPacket, RejectReason> Router::check_hello(const net::RawSocket::Packet& packet) const {
  if (packet.ttl != required_ttl) return std::unexpected(RejectReason::ttl);
  if (packet.destination != *source_) return std::unexpected(RejectReason::destination);
  if (!may_send(packet.source)) return std::unexpected(RejectReason::source);
  auto verified = vrrp::verify(packet.payload, path_of(packet), *spec_.signing);
  if (verified && !verified->sequence) return std::unexpected(RejectReason::not_signed);
  return verified;
}

}  // namespace vrrp
