#include "director/engine/reloader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "config/load.h"
#include "director/engine/engine.h"
#include "director/engine/probe_secrets.h"
#include "net/background.h"
#include "net/time.h"

namespace director {

namespace {

constexpr auto reading_max = std::chrono::seconds(60);

Refused busy() { return {.why = "another reload or plan is running; try again"}; }

Refused failed(std::string why) { return {.why = std::move(why), .kind = RequestError::Kind::failed}; }

}  // namespace

struct Reloader::Read {
  NodeConfig node_config;
  Outcome outcome;
  config::ReloadCache cache;
  std::move_only_function<void()> set_access;  ///< none: it stays as it is
};

/// What the thread has of its own.
struct Reloader::Reading {
  Source source;
  Sent sent;
  std::shared_ptr<const config::Cluster> before;
  std::shared_ptr<const config::ReloadCache> cache;
  PrepareAccess prepare_access;
  bool dry_run = false;
  std::stop_token stop;

  std::expected<Read, Refused> read();
  /// Puts what the file only names into it.
  std::expected<NodeConfig, Refused> complete(config::Cluster cluster, config::Node node);
};

std::expected<Reloader::Read, Refused> Reloader::Reading::read() {
  const auto modules = net::Modules::of_host();
  std::vector<config::Source> files;
  if (sent) {
    auto made = sent();
    if (!made) return std::unexpected(std::move(made.error()));
    files = std::move(*made);
  }
  const auto name = sent ? files.front().name : source.file;
  auto loaded = sent ? config::load_files(std::move(files), &modules, stop)
                     : config::reload(name, *cache, before->services, &modules, stop);
  if (stop.stop_requested()) {
    return std::unexpected(
        failed(fmt::format("{}: reading it took longer than {}, so it was stopped; nothing was changed", name,
                           net::to_string(reading_max))));
  }
  if (!loaded) return std::unexpected(Refused{name + " has errors, nothing was changed", std::move(loaded.error())});
  auto node = config::this_node(loaded->cluster, source.node, source.host_name);
  if (!node) return std::unexpected(Refused{fmt::format("{}: {}", name, node.error().message)});
  auto node_config = complete(std::move(loaded->cluster), *std::move(node));
  if (!node_config) return std::unexpected(std::move(node_config.error()));
  net::Result<std::move_only_function<void()>> access;
  const auto& director = node_config->cluster.director;
  if (director.operators != before->director.operators || director.readers != before->director.readers)
    access = prepare_access(director);
  if (!access) return std::unexpected(failed(access.error().message));
  auto change = compare(*before, node_config->cluster);
  return Read{.node_config = std::move(*node_config),
              .outcome = {.change = std::move(change), .warnings = std::move(loaded->warnings)},
              .cache = std::move(loaded->cache),
              .set_access = std::move(*access)};
}

std::expected<NodeConfig, Refused> Reloader::Reading::complete(config::Cluster cluster, config::Node node) {
  if (sent) {
    copy_probe_secrets(cluster, *before);
    return NodeConfig{.cluster = std::move(cluster), .node = std::move(node)};
  }
  if (auto secrets = read_probe_secrets(cluster); !secrets) return std::unexpected(failed(secrets.error().message));
  if (dry_run) return NodeConfig{.cluster = std::move(cluster), .node = std::move(node)};
  auto made = make_node_config(std::move(cluster), std::move(node));
  if (!made) return std::unexpected(failed(made.error().message));
  return std::move(*made);
}

Reloader::Reloader(net::Loop& loop, Engine& engine, Source source, config::ReloadCache cache,
                   PrepareAccess prepare_access, std::unique_ptr<net::Background> background)
    : loop_(loop),
      engine_(engine),
      source_(std::move(source)),
      cache_(std::make_shared<const config::ReloadCache>(std::move(cache))),
      prepare_access_(std::move(prepare_access)),
      background_(std::move(background)) {}

Reloader::~Reloader() { loop_.cancel(time_limit_); }

net::Result<std::unique_ptr<Reloader>> Reloader::create(net::Loop& loop, Engine& engine, Source source,
                                                        config::ReloadCache cache, PrepareAccess prepare_access) {
  auto background = net::Background::create(loop);
  if (!background) return std::unexpected(background.error());
  return std::unique_ptr<Reloader>(new Reloader(loop, engine, std::move(source), std::move(cache),
                                                std::move(prepare_access), std::move(*background)));
}

void Reloader::read(Sent sent, std::move_only_function<void(std::expected<Read, Refused>)> then) {
  if (background_->busy()) return then(std::unexpected(busy()));
  std::stop_source stop;
  time_limit_ = loop_.after(reading_max, [stop]() mutable { stop.request_stop(); });
  const auto finish = [this, shared = std::make_shared<decltype(then)>(std::move(then))](auto read) {
    loop_.cancel(time_limit_);
    (*shared)(std::move(read));
  };
  const auto name = sent ? "the file that was sent" : source_.file;
  Reading reading = {.source = source_,
                     .sent = std::move(sent),
                     .before = engine_.in_force().shared(),
                     .cache = cache_,
                     .prepare_access = prepare_access_,
                     .dry_run = engine_.dry_run(),
                     .stop = stop.get_token()};
  background_->run(
      [reading = std::move(reading), finish]() mutable -> net::Background::Then {
        return [finish, result = reading.read()]() mutable { finish(std::move(result)); };
      },
      [finish, name](const net::Error& error) {
        finish(std::expected<Read, Refused>(std::unexpected(failed(fmt::format("read {}: {}", name, error.message)))));
      },
      stop);
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
  read({}, [this, yes, who, done = std::move(done)](std::expected<Read, Refused> read) mutable {
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

void Reloader::plan(Done done) { plan(Sent(), std::move(done)); }

void Reloader::plan(Sent sent, Done done) {
  read(std::move(sent), [done = std::move(done)](std::expected<Read, Refused> read) mutable {
    if (!read) return done(std::unexpected(read.error()));
    done(std::move(read->outcome));
  });
}

bool Reloader::is_own_file(const std::string& path) const {
  std::error_code problem;
  const auto own = std::filesystem::absolute(source_.file, problem);
  return !problem && own.lexically_normal() == std::filesystem::path(path).lexically_normal();
}

}  // namespace director
