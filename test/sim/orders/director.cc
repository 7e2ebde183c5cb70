#include "test/sim/orders/director.h"

#include <algorithm>
#include <vector>

namespace order_sim {

using director::Order;
using director::OrderMessage;
using director::Overrides;

void Director::start(std::uint64_t process, const std::set<std::string>& nodes) {
  process_ = process;
  own_counter_ = 0;
  book_ = disk_;
  if (mutation_ == Mutation::starts_from_zero) book_.counter = 0;
  exchange_.emplace();
  exchange_->set_nodes("shop", name_, nodes);
  exchange_->load(book_);
  exchange_->note_saved(disk_.known);
}

void Director::crash() {
  exchange_.reset();
  book_ = {};
}

Order Director::order(Order wanted) {
  if (mutation_ == Mutation::counts_alone) book_.counter = own_counter_;
  const auto origin = director::new_origin(book_, wanted.subject, name_, process_, "sim");
  own_counter_ = origin.version.counter;
  std::visit([&](auto& value) { value.origin = origin; }, wanted.value);
  exchange_->give(book_, wanted);
  return wanted;
}

void Director::save() {
  if (mutation_ != Mutation::saves_nothing) disk_ = book_;
  exchange_->note_saved(book_.known);
}

void Director::tidy(Instant now) {
  std::vector<director::OrderSubject> over;
  for (const auto& [server, overrides] : book_.standing) {
    if (overrides.weight && overrides.weight->until && *overrides.weight->until <= wall(now))
      over.push_back({.server = server, .kind = director::OrderKind::weight});
  }
  for (const auto& subject : over) {
    exchange_->end(book_, subject, wall(now));
    if (mutation_ == Mutation::ends_alone) book_.ended.erase(subject);
  }
  exchange_->forget_ended(book_, wall(now), now);
  if (mutation_ == Mutation::forgets_ended) book_.ended.clear();
  if (mutation_ == Mutation::forgets_early) {
    std::erase_if(book_.ended, [&](const auto& entry) {
      return std::ranges::any_of(exchange_->peers(), [&](const auto& peer) {
        return covers(peer.second.holds.held, entry.second.origin.version);
      });
    });
  }
  if (mutation_ == Mutation::says_saved) exchange_->note_saved(book_.known);
}

void Director::close(OrderExchange::Session session, Instant now) {
  if (exchange_) exchange_->close(session, now);
}

net::Result<std::vector<OrderExchange::Session>> Director::receive(OrderExchange::Session session,
                                                                   const std::string& text, Instant now) {
  auto message = director::decode_order_message(text, wall(now));
  if (!message) return std::unexpected(message.error());
  if (mutation_ == Mutation::believes_last) {
    for (const auto& order : message->orders) {
      const auto held = find_order(book_, order.subject);
      if (held && held->origin().version != order.origin().version) book_.ended.erase(order.subject);
      if (held) book_.standing.erase(order.subject.server);
    }
  }
  auto received = exchange_->receive(book_, session, *std::move(message), now);
  if (!received) return std::unexpected(received.error());
  if (received->synced) knows_nothing_ = false;
  return std::move(received->outdated);
}

std::optional<std::string> Director::next(OrderExchange::Session session, Instant now) {
  auto message = exchange_->next(session, book_);
  if (!message) return std::nullopt;
  if (mutation_ == Mutation::keeps_to_itself)
    std::erase_if(message->orders, [&](const Order& order) { return order.origin().version.node != name_; });
  if (mutation_ == Mutation::claims_more && message->orders.size() > 1) message->orders.pop_back();
  if (mutation_ == Mutation::knows_its_clock) {
    for (auto& order : message->orders) {
      if (auto* weight = std::get_if<Overrides::Weight>(&order.value); weight != nullptr && weight->until)
        *weight->until += std::chrono::duration_cast<WallTime::duration>(clock_error_);
    }
  }
  return encode(*message, wall(now));
}

}  // namespace order_sim
