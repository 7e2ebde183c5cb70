#include "director/daemon/api_servers.h"

#include <utility>

#include "director/control/api.h"
#include "director/engine/engine.h"
#include "director/engine/log.h"

namespace director {

net::Result<std::unique_ptr<ApiServers>> ApiServers::open(net::Loop& loop, Engine& engine, Options options) {
  std::unique_ptr<ApiServers> servers(new ApiServers());
  auto reloader = Reloader::create(loop, engine, std::move(options.source), std::move(options.cache),
                                   [raw = servers.get(), folder = options.runtime_dir](const auto& next) {
                                     return raw->prepare_access(folder, next);
                                   });
  if (!reloader) return std::unexpected(reloader.error());
  servers->reloader_ = std::move(*reloader);
  auto replacer = Replacer::create(loop, std::move(options.replacement),
                                   [&engine](std::function<void()> then) { engine.prepare_exec(std::move(then)); });
  if (!replacer) return std::unexpected(replacer.error());
  servers->replacer_ = std::move(*replacer);
  if (options.table_kernel) {
    auto table = TableReader::create(loop, std::move(options.table_kernel));
    if (!table) return std::unexpected(table.error());
    servers->table_ = std::move(*table);
  }
  servers->status_ = std::make_unique<StatusWriter>(engine);
  if (auto opened = servers->open_sockets(loop, engine, options.runtime_dir, options.groups); !opened) {
    return std::unexpected(opened.error());
  }
  return servers;
}

net::Result<> ApiServers::open_sockets(net::Loop& loop, Engine& engine, const std::filesystem::path& folder,
                                       const SocketGroups& groups) {
  const Control control{.engine = engine,
                        .reloader = *reloader_,
                        .status = *status_,
                        .replace = [&replacer = *replacer_](auto done) { replacer.replace(std::move(done)); },
                        .table = table_.get()};
  auto sockets = ControlThread::open(
      loop, folder, groups,
      {.operators = [control](Request request,
                              HttpServer::Respond respond) { answer(control, std::move(request), std::move(respond)); },
       .readers =
           [control](Request request, HttpServer::Respond respond) {
             answer_reader(control, std::move(request), std::move(respond));
           }});
  if (!sockets) return std::unexpected(sockets.error());
  sockets_ = std::move(*sockets);
  return {};
}

/// In the reloader's thread: nothing of this object is touched before the file is in force.
net::Result<std::move_only_function<void()>> ApiServers::prepare_access(const std::filesystem::path& folder,
                                                                        const config::Director& next) {
  auto groups = find_groups(next);
  if (!groups) return std::unexpected(groups.error());
  if (auto tried = try_groups(folder, *groups); !tried) return std::unexpected(tried.error());
  return [this, groups = *std::move(groups)]() mutable {
    sockets_->set_groups(std::move(groups), [](const net::Result<>& set) {
      if (!set) log::error(set.error().message);
    });
  };
}

}  // namespace director
