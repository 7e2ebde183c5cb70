#include "checkers/http.h"
#include "checkers/probe.h"
#include "checkers/stream.h"
#include "checkers/tcp.h"

namespace checkers {
namespace {

struct Begin {
  const net::Endpoint& target;

  std::unique_ptr<Conversation> operator()(const Tcp&) const { return std::make_unique<TcpConversation>(target); }
  std::unique_ptr<Conversation> operator()(const Http& http) const {
    return std::make_unique<HttpConversation>(target, http);
  }
};

}  // namespace

Launched launch(net::Loop& loop, const Key& key, Flight::OnLanded on_landed) {
  return launch_stream(loop, key.target, std::visit(Begin{key.target}, key.spec.kind), std::move(on_landed));
}

}  // namespace checkers
