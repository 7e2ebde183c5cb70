#include "director/ctl/import_file.h"

#include <cerrno>
#include <fstream>
#include <iterator>

#include "ipvs/ctl/rule_file.h"

namespace director {
namespace {

net::Result<config::Imported> import_rules(std::string_view text) {
  const auto desired = ipvs::read_desired(text);
  if (!desired) return std::unexpected(desired.error());
  config::Imported imported = config::import_table(desired->table);
  if (!desired->daemons.empty()) {
    const ipvs::Daemon& daemon = desired->daemons.front();
    imported.sync_interface = daemon.interface;
    imported.sync_id = std::to_string(daemon.sync_id);
    imported.nodes.push_back({.name = "lb1"});
    imported.notes.emplace_back("nodes: set each director's host name and address");
  }
  if (desired->timeouts) imported.notes.emplace_back("the timeouts of --set were not converted");
  return imported;
}

}  // namespace

net::Result<config::Imported> import_file(std::string_view format, const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  if (!stream) return net::system_error(errno, "read " + file.string());
  if (format == "ldirectord") return config::import_ldirectord(text);
  auto imported = format == "keepalived" ? config::import_keepalived(text) : import_rules(text);
  if (!imported) imported.error().message = file.string() + ": " + imported.error().message;
  return imported;
}

}  // namespace director
