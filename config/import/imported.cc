#include "config/import/imported.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <charconv>

#include "config/load.h"
#include "config/schema/reader.h"
#include "net/address.h"

namespace config {
namespace {

constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view digits = "0123456789";

bool is_one_of(char c, std::string_view set) { return set.contains(c); }

/// "key: value" where there is a value.
class Map {
 public:
  void add(std::string_view key, std::string_view value) {
    if (!value.empty()) members_.push_back(fmt::format("{}: {}", key, value));
  }
  void add_word(std::string_view key, std::string_view value) {
    if (!value.empty()) add(key, yaml_word(value));
  }
  void add_string(std::string_view key, std::string_view value) {
    if (!value.empty()) add(key, yaml_string(value));
  }
  [[nodiscard]] std::string text() const { return fmt::format("{{ {} }}", fmt::join(members_, ", ")); }

 private:
  std::vector<std::string> members_;
};

std::string list(const std::vector<std::string>& items) {
  std::vector<std::string> written;
  std::ranges::transform(items, std::back_inserter(written), [](const std::string& item) { return yaml_string(item); });
  return fmt::format("[{}]", fmt::join(written, ", "));
}

std::string node(const Imported::Node& node) {
  Map map;
  map.add_string("address", node.address);
  map.add_word("priority", node.priority);
  return fmt::format("  {}: {}\n", node.name, map.text());
}

std::string router(const Imported::Router& router) {
  std::string text = fmt::format("  {}:\n    router_id: {}\n", router.name, yaml_word(router.router_id));
  if (!router.interface.empty()) text += fmt::format("    interface: {}\n", yaml_string(router.interface));
  text += fmt::format("    addresses: [{}]\n", fmt::join(router.addresses, ", "));
  if (!router.routes.empty()) text += fmt::format("    routes: [{}]\n", fmt::join(router.routes, ", "));
  if (router.virtual_mac) text += "    mac: virtual\n";
  if (!router.priorities.empty()) {
    Map priorities;
    for (const auto& [node, priority] : router.priorities) priorities.add_word(node, priority);
    text += fmt::format("    priority: {}\n", priorities.text());
  }
  if (!router.advertise.empty()) text += fmt::format("    advertise: {}\n", yaml_word(router.advertise));
  if (!router.preempt.empty()) text += fmt::format("    preempt: {}\n", router.preempt);
  if (router.unicast) text += "    unicast: true\n";
  if (!router.trackers.empty()) text += "    track:\n";
  std::vector<std::string> names;
  for (const Imported::Tracker& each : router.trackers) {
    names.push_back(free_name(each.name, names));
    text += fmt::format("      {}: {}\n", names.back(), each.text);
  }
  return text;
}

std::string servers(const std::vector<Imported::Server>& servers) {
  std::string text;
  std::vector<std::string> names;
  for (const Imported::Server& server : servers) {
    names.push_back(free_name(server.address, names));
    Map map;
    map.add_string("address", server.address);
    if (server.weight != "1") map.add_word("weight", server.weight);
    map.add_word("upper_threshold", server.upper_threshold);
    map.add_word("lower_threshold", server.lower_threshold);
    text += fmt::format("      {}: {}\n", names.back(), map.text());
  }
  return text;
}

std::string service(const Imported::Service& service) {
  std::string text = fmt::format("  {}:\n", service.name);
  const auto key = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) text += fmt::format("    {}: {}\n", name, value);
  };
  if (!service.listen.empty()) key("listen", yaml_string(service.listen));
  if (!service.fwmark.empty()) key("fwmark", yaml_word(service.fwmark));
  key("scheduler", yaml_word(service.scheduler));
  key("forward", service.forward);
  if (!service.persistence.empty()) key("persistence", yaml_word(service.persistence));
  for (const auto& [name, value] : service.options) key(name, value);
  if (service.checks.size() == 1) key("check", service.checks.front());
  if (service.checks.size() > 1) key("checks", fmt::format("[{}]", fmt::join(service.checks, ", ")));
  if (service.remove_failed) key("on_failure", "remove");
  if (!service.quorum.empty()) key("quorum", fmt::format("{{ below: {} }}", yaml_word(service.quorum)));
  text += service.servers.empty() ? "    servers: {}\n" : "    servers:\n" + servers(service.servers);
  if (!service.fallback.empty()) key("fallback", yaml_string(service.fallback));
  return text;
}

/// A note may quote a file that is no text.
std::string one_line(std::string text) {
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return text;
}

}  // namespace

std::string mask_length(std::string_view text) {
  const auto mask = net::Address::parse(text);
  if (!mask || !mask->is_v4()) {
    unsigned length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    return error == std::errc() && end == text.data() + text.size() && length <= 128 ? std::to_string(length) : "";
  }
  std::uint32_t bits = 0;
  for (const auto byte : mask->bytes()) bits = bits << 8U | std::to_integer<std::uint32_t>(byte);
  const auto length = std::countl_one(bits);
  return std::popcount(bits) == length ? std::to_string(length) : "";
}

std::string fallback_problem(const Imported::Service& service) {
  if (service.fallback.empty()) return "";
  const auto errors_of = [](Imported::Service tried) {
    const auto loaded = load_text("", to_yaml({.services = {std::move(tried)}}));
    auto found = loaded ? Refusal() : loaded.error();
    std::erase_if(found, [](const Diagnostic& each) { return each.severity != Severity::error; });
    return found;
  };
  auto without = service;
  without.fallback.clear();
  const auto other = errors_of(std::move(without));
  for (const auto& error : errors_of(service)) {
    if (std::ranges::find(other, error.message, &Diagnostic::message) == other.end()) return error.message;
  }
  return "";
}

std::string yaml_string(std::string_view text) {
  const bool plain = !text.empty() && is_one_of(text.front(), letters) && std::ranges::all_of(text, [](char c) {
    return is_one_of(c, letters) || is_one_of(c, digits) || is_one_of(c, "_-./");
  });
  const bool numeric = !text.empty() && is_one_of(text.front(), digits) && std::ranges::all_of(text, [](char c) {
    return is_one_of(c, digits) || is_one_of(c, "./:");
  });  // an IPv4 address with a port or a length
  const bool address = numeric && std::ranges::count(text, '.') == 3 && !text.ends_with(':');
  if (plain || address) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (byte < 0x20 || byte == 0x7f) {
      quoted += fmt::format("\\x{:02x}", byte);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string yaml_word(std::string_view text) {
  const bool word = !text.empty() && text.front() != '-' && std::ranges::all_of(text, [](char c) {
    return is_one_of(c, letters) || is_one_of(c, digits) || is_one_of(c, "_-.");
  });
  return word ? std::string(text) : yaml_string(text);
}

std::string free_name(std::string_view wanted, const std::vector<std::string>& taken) {
  constexpr std::size_t longest = 50;
  std::string name;
  for (const char c : wanted.substr(0, longest)) {
    if (is_one_of(c, letters) || is_one_of(c, digits) || is_one_of(c, "_-.")) {
      name += c;
    } else if (!name.empty() && !name.ends_with('-')) {
      name += '-';
    }
  }
  while (name.starts_with('-') || name.starts_with('.')) name.erase(0, 1);
  while (name.ends_with('-')) name.pop_back();
  if (name.empty()) name = "unnamed";
  std::string unique = name;
  for (int i = 2; std::ranges::find(taken, unique) != taken.end(); ++i) unique = fmt::format("{}-{}", name, i);
  return unique;
}

std::string to_yaml(const Imported& imported) {
  std::string text;
  for (const std::string& note : imported.notes) text += fmt::format("# {}\n", one_line(note));
  if (!text.empty()) text += '\n';
  text += fmt::format("cluster: {}\n", yaml_string(imported.cluster));
  if (!imported.nodes.empty()) text += "nodes:\n";
  for (const auto& each : imported.nodes) text += node(each);
  if (!imported.routers.empty()) text += "vrrp:\n";
  for (const auto& each : imported.routers) text += router(each);
  if (!imported.groups.empty()) text += "groups:\n";
  for (const auto& group : imported.groups) text += fmt::format("  - {}\n", list(group));
  if (!imported.sync_interface.empty()) {
    Map map;
    map.add_string("interface", imported.sync_interface);
    map.add_word("id", imported.sync_id);
    text += fmt::format("connection_sync: {}\n", map.text());
  }
  if (!imported.services.empty()) text += "services:\n";
  for (const auto& each : imported.services) text += service(each);
  return text;
}

}  // namespace config
