#include <fmt/format.h>

#include "checkers/http.h"
#include "checkers/probe.h"
#include "checkers/stream.h"
#include "checkers/tcp.h"

namespace checkers {
namespace {

/// A spec that cannot be probed: says so each time.
class BrokenProber final : public Prober {
 public:
  BrokenProber(std::string_view kind, net::Error error) : kind_(kind), error_(std::move(error)) {}

  Launched launch(net::Loop&, const net::Endpoint& target, Flight::OnLanded) const override {
    return could_not_run(fmt::format("{} {}", kind_, to_string(target)), error_.message);
  }

 private:
  std::string kind_;
  net::Error error_;
};

/// Conversations of one kind over TCP.
template <class Conversing, class Plan>
class StreamProber final : public Prober {
 public:
  StreamProber(Path path, Plan plan) : path_(std::move(path)), plan_(std::move(plan)) {}

  Launched launch(net::Loop& loop, const net::Endpoint& target, Flight::OnLanded on_landed) const override {
    return launch_stream(loop, path_, target, std::make_unique<Conversing>(target, plan_), std::move(on_landed));
  }

 private:
  Path path_;
  Plan plan_;
};

struct Make {
  const Spec& spec;

  using Made = net::Result<std::unique_ptr<Prober>>;

  Made operator()(const Tcp& tcp) const { return stream<TcpConversation>(TcpScript::prepare(tcp)); }
  Made operator()(const Http& http) const { return stream<HttpConversation>(HttpPlan::prepare(http)); }
  Made operator()(const auto&) const { return net::failure("this kind of check is not built in"); }

  template <class Conversing, class Plan>
  Made stream(net::Result<Plan> plan) const {
    if (!plan) return std::unexpected(plan.error());
    return std::make_unique<StreamProber<Conversing, Plan>>(spec.path, std::move(*plan));
  }
};

}  // namespace

std::unique_ptr<Prober> make_prober(const Spec& spec) {
  auto made = std::visit(Make{spec}, spec.kind);
  if (!made) return std::make_unique<BrokenProber>(name_of(spec.kind), std::move(made.error()));
  return std::move(*made);
}

}  // namespace checkers
