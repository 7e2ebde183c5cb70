#pragma once

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/reload_cache.h"
#include "director/control/api.h"
#include "director/control/socket_groups.h"
#include "director/control/status_writer.h"
#include "director/daemon/replacement.h"
#include "director/engine/engine.h"
#include "director/engine/reloader.h"
#include "director/engine/table_reader.h"
#include "ipvs/memory_kernel.h"
#include "net/kernel_host.h"
#include "scratch.h"
#include "shop.h"
#include "test/catch.h"

/// A director with its control API.
namespace director_test {

struct ApiWorld {
  Scratch scratch;
  net::Loop loop = net::Loop::create().value();
  ipvs::MemoryKernel kernel;
  net::KernelHost host;
  director::Engine director{
      loop, kernel, host, shop(),
      director::Options{.node = lb1(), .state_file = scratch.path / "state.json", .dry_run = true}};

  ApiWorld() { REQUIRE(director.start()); }
};

inline const std::string weight_path = "/v1/services/web/servers/web1/weight";
inline const std::string drain_path = "/v1/services/web/servers/web1/drain";

/// A director with the file that it reads again.
struct Reloading : ApiWorld {
  std::string file = scratch.path / "cluster.yaml";
  std::unique_ptr<director::Reloader> reloader;
  std::unique_ptr<director::Replacer> replacer =
      director::Replacer::create(loop, {.program = "/bin/false", .arguments = {"false"}}, [](const auto& then) {
        then();
      }).value();
  std::unique_ptr<director::TableReader> table;
  director::StatusWriter status{director};
  std::vector<director::SocketGroups> access;  ///< who was given the sockets, by one reload after another

  Reloading() {
    reloader = director::Reloader::create(loop, director, {.file = file, .node = "lb1", .host_name = "x"}, {},
                                          [this](const config::Director& next) { return prepare_access(next); })
                   .value();
  }

  net::Result<std::move_only_function<void()>> prepare_access(const config::Director& next) {
    auto groups = director::find_groups(next);
    if (!groups) return std::unexpected(groups.error());
    return [this, groups = *groups] { access.push_back(groups); };
  }

  void write(const std::string& services) {
    std::ofstream(file) << "cluster: shop\nnodes: { lb1: { address: 192.168.56.11, priority: 150 } }\n" + services;
  }

  director::Control control() {
    return {.engine = director,
            .reloader = *reloader,
            .status = status,
            .replace = [this](auto done) { replacer->replace(std::move(done)); },
            .table = table.get()};
  }

  director::Response post(const std::string& path, const std::string& body) { return send("POST", path, body); }

  director::Response send(const std::string& method, const std::string& path, const std::string& body) {
    std::optional<director::Response> got;
    answer(control(), {.method = method, .path = path, .body = body},
           [&](director::Response response) { got = std::move(response); });
    while (!got) REQUIRE(loop.turn(std::chrono::milliseconds(20)));
    return *got;
  }
};

inline const std::string one_more =
    "services: { web: { listen: 192.168.56.10:80, scheduler: wrr, servers: { web1: { address: 192.168.200.11, weight: "
    "3 }, web2: { address: 192.168.200.12 }, web3: { address: 192.168.200.13 } } } }\n";

}  // namespace director_test
