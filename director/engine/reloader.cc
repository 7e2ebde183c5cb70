#include "director/engine/reloader.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/load.h"
#include "director/engine/engine.h"
#include "director/engine/probe_secrets.h"
#include "net/background.h"

namespace director {

namespace {

Refused busy() { return {.why = "another reload or plan is running; try again"}; }

}  // namespace

struct Reloader::Read {
  NodeConfig node_config;
  Outcome outcome;
  config::ReloadCache cache;
  std::move_only_function<void()> set_access;  ///< none: it stays as it is
};

Reloader::Reloader(Engine& engine, Source source, config::ReloadCache cache, PrepareAccess prepare_access,
                   std::unique_ptr<net::Background> background)
    : engine_(engine),
      source_(std::move(source)),
      cache_(std::make_shared<const config::ReloadCache>(std::move(cache))),
      prepare_access_(std::move(prepare_access)),
      background_(std::move(background)) {}

Reloader::~Reloader() = default;

net::Result<std::unique_ptr<Reloader>> Reloader::create(net::Loop& loop, Engine& engine, Source source,
                                                        config::ReloadCache cache, PrepareAccess prepare_access) {
  auto background = net::Background::create(loop);
  if (!background) return std::unexpected(background.error());
  return std::unique_ptr<Reloader>(
      new Reloader(engine, std::move(source), std::move(cache), std::move(prepare_access), std::move(*background)));
}

void Reloader::read(std::string file, std::move_only_function<void(std::expected<Read, Refused>)> then) {
  if (background_->busy()) return then(std::unexpected(busy()));
  const auto shared = std::make_shared<std::move_only_function<void(std::expected<Read, Refused>)>>(std::move(then));
  auto failed = [shared, file](const net::Error& error) {
    (*shared)(std::unexpected(
        Refused{.why = fmt::format("read {}: {}", file, error.message), .kind = RequestError::Kind::failed}));
  };
  auto work = [file = std::move(file), before = engine_.in_force().shared(), source = source_, cache = cache_,
               prepare_access = prepare_access_, dry_run = engine_.dry_run(),
               shared]() mutable -> net::Background::Then {
    auto result = [&]() -> std::expected<Read, Refused> {
      const auto modules = net::Modules::of_host();
      auto loaded = config::reload(file, *cache, before->services, &modules);
      if (!loaded)
        return std::unexpected(Refused{file + " has errors, nothing was changed", std::move(loaded.error())});
      auto node = config::this_node(loaded->cluster, source.node, source.host_name);
      if (!node) return std::unexpected(Refused{fmt::format("{}: {}", file, node.error().message)});
      if (auto secrets = read_probe_secrets(loaded->cluster); !secrets) {
        return std::unexpected(Refused{.why = secrets.error().message, .kind = RequestError::Kind::failed});
      }
      auto change = compare(*before, loaded->cluster);
      auto node_config =
          dry_run ? net::Result<NodeConfig>(NodeConfig{.cluster = std::move(loaded->cluster), .node = *std::move(node)})
                  : make_node_config(std::move(loaded->cluster), *std::move(node));
      if (!node_config)
        return std::unexpected(Refused{.why = node_config.error().message, .kind = RequestError::Kind::failed});
      net::Result<std::move_only_function<void()>> access;
      const auto& director = node_config->cluster.director;
      if (director.operators != before->director.operators || director.readers != before->director.readers)
        access = prepare_access(director);
      if (!access) return std::unexpected(Refused{.why = access.error().message, .kind = RequestError::Kind::failed});
      return Read{.node_config = std::move(*node_config),
                  .outcome = {.change = std::move(change), .warnings = std::move(loaded->warnings)},
                  .cache = std::move(loaded->cache),
                  .set_access = std::move(*access)};
    }();
    return [shared, result = std::move(result)]() mutable { (*shared)(std::move(result)); };
  };
  background_->run(std::move(work), std::move(failed));
}

std::string to_string(const Refused& refused) {
  // Else it is no fault of the file.
  const std::string head = refused.kind == RequestError::Kind::failed ? "reload failed: " : "cluster file refused: ";
  const auto first = std::ranges::find(refused.found, config::Severity::error, &config::Diagnostic::severity);
  if (first == refused.found.end()) return head + refused.why;
  auto text = fmt::format("{}{}:{}:{}: {}", head, first->file, first->line, first->column, first->message);
  const auto more = std::ranges::count(refused.found, config::Severity::error, &config::Diagnostic::severity) - 1;
  return more == 0 ? text : fmt::format("{} (and {} more; directorctl check shows all)", text, more);
}

void Reloader::reload(bool yes, const std::string& who, Done done) {
  if (background_->busy()) return done(std::unexpected(busy()));  // which says nothing of the file
  read(source_.file, [this, yes, who, done = std::move(done)](std::expected<Read, Refused> read) mutable {
    take_over(yes, std::move(read), [this, who, done = std::move(done)](auto outcome) mutable {
      if (outcome) {
        engine_.note_accepted_file();
      } else {
        engine_.note_refused_file(who, to_string(outcome.error()));
      }
      done(std::move(outcome));
    });
  });
}

void Reloader::take_over(bool yes, std::expected<Read, Refused> read, Done done) {
  if (!read) return done(std::unexpected(read.error()));
  if (read->outcome.change.none()) {
    const bool same_order = read->node_config.cluster.services == engine_.cluster().services;
    if (auto reread = engine_.reread(std::move(read->node_config)); !reread) {
      return done(std::unexpected(Refused{.why = reread.error().message, .kind = RequestError::Kind::failed}));
    }
    // Another order changes nothing, but a cache knows services by their place.
    if (same_order) cache_ = std::make_shared<const config::ReloadCache>(std::move(read->cache));
    return done(std::move(read->outcome));
  }
  if (const auto why = guard(read->outcome.change, engine_.cluster()); why && !yes) {
    return done(std::unexpected(Refused{*why + "; nothing was changed; to confirm: directorctl reload --yes"}));
  }
  if (auto reloaded = engine_.reload(std::move(read->node_config), to_string(read->outcome.change)); !reloaded) {
    return done(std::unexpected(Refused{.why = reloaded.error().message, .kind = RequestError::Kind::failed}));
  }
  if (read->set_access) read->set_access();
  cache_ = std::make_shared<const config::ReloadCache>(std::move(read->cache));
  done(std::move(read->outcome));
}

void Reloader::plan(std::string file, Done done) {
  read(file.empty() ? source_.file : std::move(file),
       [done = std::move(done)](std::expected<Read, Refused> read) mutable {
         if (!read) return done(std::unexpected(read.error()));
         done(std::move(read->outcome));
       });
}

}  // namespace director
