// keepalived's keywords as keys of the cluster file. Where the meaning differs, a note says so.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "config/import/imported.h"
#include "config/import/keepalived_file.h"
#include "config/import/keepalived_router.h"
#include "net/address.h"

namespace config {
namespace {

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0 && value <= 1e9)) return std::nullopt;
  return value;
}

long milliseconds(double seconds) { return std::lround(seconds * 1000); }

/// "10.0.0.7:80", "[2001:db8::7]:80"; without a port the address alone.
std::string end_point(const std::string& address, const std::string& port) {
  if (port.empty() || port == "0") return address;
  return address.contains(':') ? fmt::format("[{}]:{}", address, port) : fmt::format("{}:{}", address, port);
}

const std::set<std::string_view> check_kinds = {"TCP_CHECK",  "HTTP_GET",  "SSL_GET",   "SMTP_CHECK",
                                                "MISC_CHECK", "DNS_CHECK", "UDP_CHECK", "PING_CHECK"};

class Importer {
 public:
  Imported take(const Statement& file) {
    for (const Statement& each : file.body) {
      if (each.keyword() == "virtual_server_group") groups_.push_back(&each);
      if (each.keyword() == "vrrp_script") scripts_.push_back(&each);
    }
    for (const Statement& each : file.body) take_section(each);
    if (!imported_.services.empty()) {
      note(0,
           "a server takes no connections before it has passed its first check; in keepalived it does, unless alpha is "
           "set");
    }
    if (!routers_speak_) return std::move(imported_);
    if (imported_.nodes.empty()) add_node({.name = "lb1"});
    set_priorities();
    if (imported_.nodes.size() == 1) {
      note(0, "nodes: name this director and the others by their host names, each with its own address and priority");
    }
    note(0, "keepalived uses VRRP version 2 by default, directord uses version 3: change all nodes at once");
    return std::move(imported_);
  }

 private:
  void note(int line, std::string_view what) {
    std::string text = line > 0 ? fmt::format("line {}: {}", line, what) : std::string(what);
    // What several services share is said once.
    if (std::ranges::find(imported_.notes, text) == imported_.notes.end()) imported_.notes.push_back(std::move(text));
  }

  void not_carried(const Statement& statement) {
    note(statement.line, fmt::format("not carried over: {}", fmt::join(statement.words, " ")));
  }

  void add_node(Imported::Node node) { imported_.nodes.push_back(std::move(node)); }

  void take_section(const Statement& each) {
    if (each.keyword() == "global_defs") return take_globals(each);
    if (each.keyword() == "vrrp_instance") return take_router(each);
    if (each.keyword() == "vrrp_sync_group") return take_group(each);
    if (each.keyword() == "virtual_server") return take_service(each);
    if (each.keyword() != "virtual_server_group" && each.keyword() != "vrrp_script") not_carried(each);
  }

  void take_globals(const Statement& section) {
    for (const Statement& each : section.body) {
      if (each.keyword() == "lvs_id" || each.keyword() == "router_id") {
        imported_.cluster = free_name(each.word(1), {});
      } else if (each.keyword() == "lvs_sync_daemon") {
        imported_.sync_interface = each.word(1);
        const auto id = std::ranges::find(each.words, "id");
        if (id != each.words.end() && id + 1 != each.words.end()) imported_.sync_id = *(id + 1);
      } else {
        not_carried(each);
      }
    }
  }

  void take_router(const Statement& section) {
    routers_speak_ = true;
    Imported::Router router{.name = free_name(section.word(1), router_names_)};
    router_names_.push_back(router.name);
    Imported::Node node{.name = "lb1"};
    router.interface = section.value("interface");
    std::vector<std::string> peers;
    const Note note = [this](int line, std::string_view what) { this->note(line, what); };
    for (const Statement& each : section.body) {
      const std::string_view key = each.keyword();
      if (key == "virtual_router_id") {
        router.router_id = each.word(1);
      } else if (key == "priority") {
        if (std::string priority = priority_of(each); !priority.empty())
          router.priorities = {{node.name, std::move(priority)}};
      } else if (key == "advert_int") {
        if (const auto seconds = number(each.word(1))) router.advertise = fmt::format("{}ms", milliseconds(*seconds));
      } else if (key == "nopreempt") {
        router.preempt = "false";
      } else if (key == "preempt_delay") {
        const auto seconds = number(each.word(1));
        if (seconds && *seconds > 0 && router.preempt.empty())
          router.preempt = fmt::format("{}ms", milliseconds(*seconds));
      } else if (key == "use_vmac") {
        router.virtual_mac = true;
      } else if (key == "unicast_src_ip" || key == "mcast_src_ip") {
        node.address = each.word(1);
      } else if (key == "unicast_peer") {
        for (const Statement& peer : each.body) peers.push_back(peer.word(0));
      } else if (key == "virtual_ipaddress" || key == "virtual_ipaddress_excluded") {
        add(router.addresses, each,
            [&](const Statement& line) { return virtual_address(line, router.interface, note); });
      } else if (key == "virtual_routes") {
        add(router.routes, each, [&](const Statement& line) { return virtual_route(line, note); });
      } else if (key == "track_interface" || key == "track_script") {
        std::ranges::move(trackers(each, scripts_, note), std::back_inserter(router.trackers));
      } else if (key == "authentication") {
        note(each.line,
             "not carried over: authentication; use `password_file` with `version: 2`, or `authentication` with "
             "version 3");
      } else if (key != "interface" && key != "state") {  // the priority decides
        not_carried(each);
      }
    }
    router.unicast = !peers.empty();
    if (router.unicast && router.virtual_mac) {
      router.virtual_mac = false;
      note(section.line,
           "not carried over: use_vmac, which needs multicast: switches do not learn the virtual MAC address from "
           "unicast");
    }
    if (router.interface.empty() && !router.unicast) router.interface = fill_in;
    if (imported_.nodes.empty() && (!peers.empty() || node.address != fill_in)) {
      add_node(node);
      for (const std::string& peer : peers)
        add_node({.name = fmt::format("lb{}", imported_.nodes.size() + 1), .address = peer});
    }
    imported_.routers.push_back(std::move(router));
  }

  /// An owner's addresses are permanent here, and keepalived's are not.
  std::string priority_of(const Statement& statement) {
    if (statement.word(1) != "255") return statement.word(1);
    note(statement.line,
         "priority 255 is imported as 254: here an owner's addresses are permanent on the host, and directord does not "
         "add or remove them");
    return "254";
  }

  /// This node's are in the file, the others' in their own. The first is the node's; virtual routers that have another
  /// one have it for themselves.
  void set_priorities() {
    bool differ = false;
    std::string& own = imported_.nodes.front().priority;
    for (Imported::Router& router : imported_.routers) {
      if (router.priorities.empty()) continue;
      if (own.empty()) own = router.priorities.front().second;
      if (router.priorities.front().second == own) {
        router.priorities.clear();
        continue;
      }
      differ = true;
      for (std::size_t i = 1; i < imported_.nodes.size(); ++i)
        router.priorities.emplace_back(imported_.nodes[i].name, fill_in);
    }
    if (!differ) return;
    note(0,
         "priority: the virtual routers have different ones on this node (active/active); add the other nodes', which "
         "their own files have, to each");
  }

  static void add(std::vector<std::string>& items, const Statement& section, const auto& item_of) {
    for (const Statement& line : section.body) {
      if (std::string item = item_of(line); !item.empty()) items.push_back(std::move(item));
    }
  }

  void take_group(const Statement& section) {
    std::vector<std::string> names;
    for (const Statement& each : section.body) {
      if (each.keyword() != "group") {
        not_carried(each);
        continue;
      }
      for (std::size_t i = 1; i < each.words.size(); ++i) names.push_back(each.words[i]);
      for (const Statement& name : each.body) names.insert(names.end(), name.words.begin(), name.words.end());
    }
    if (names.size() > 1) imported_.groups.push_back(std::move(names));
  }

  void take_service(const Statement& section) {
    if (section.word(1) == "group") {
      const auto group =
          std::ranges::find(groups_, section.word(2), [](const Statement* each) { return each->word(1); });
      if (group == groups_.end()) return not_carried(section);
      for (const Statement& each : (*group)->body) add_service(section, each.word(0), each.word(1), each.line);
    } else {
      add_service(section, section.word(1), section.word(2), section.line);
    }
  }

  void add_service(const Statement& section, const std::string& address, const std::string& port, int line) {
    Imported::Service service{.name = {}};
    std::string protocol = section.value("protocol");
    std::ranges::transform(protocol, protocol.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (address == "fwmark") {
      service.fwmark = port;
    } else {
      if (!net::Address::parse(address)) note(line, fmt::format("{} is not a single address", address));
      service.listen = (protocol.empty() || protocol == "tcp" ? "" : protocol + "://") + end_point(address, port);
    }
    service.name = free_name(fmt::format("{} {}", address, port), service_names_);
    service_names_.push_back(service.name);
    service.remove_failed = !section.find("inhibit_on_failure");
    for (const Statement& each : section.body) take_service_word(section, each, service);
    if (const auto why = fallback_problem(service); !why.empty()) {
      const auto& sorry = *section.find("sorry_server");
      note(sorry.line, fmt::format("not carried over: {}: {}", fmt::join(sorry.words, " "), why));
      service.fallback.clear();
    }
    imported_.services.push_back(std::move(service));
  }

  void take_service_word(const Statement& section, const Statement& each, Imported::Service& service) {
    const std::string_view key = each.keyword();
    const std::string value = each.word(1);
    if (key == "lb_algo" || key == "lvs_sched") {
      service.scheduler = value;
    } else if (key == "lb_kind" || key == "lvs_method") {
      service.forward = value == "DR" ? "dr" : value == "TUN" ? "tunnel" : "nat";
    } else if (key == "persistence_timeout") {
      service.persistence = value.empty() ? "360s" : value + "s";
    } else if (key == "persistence_granularity") {
      const auto length = mask_length(value);
      if (length.empty() || !section.find("persistence_timeout")) return not_carried(each);
      service.options.emplace_back("persistence_mask", length);
    } else if (key == "ops") {
      service.options.emplace_back("one_packet", "true");
    } else if (key == "persistence_engine") {
      service.options.emplace_back("persistence_engine", yaml_word(value));
    } else if (key == "sorry_server") {
      service.fallback = end_point(value, each.word(2));
    } else if (key == "quorum") {
      service.quorum = value;
    } else if (key == "real_server") {
      take_server(section, each, service);
    } else if (!known_elsewhere_.contains(key)) {
      not_carried(each);
    }
  }

  void take_server(const Statement& section, const Statement& server, Imported::Service& service) {
    const std::string port = server.word(2) == section.word(2) ? "" : server.word(2);
    Imported::Server taken{.address = end_point(server.word(1), port)};
    if (const std::string weight = server.value("weight"); !weight.empty()) taken.weight = weight;
    taken.upper_threshold = server.value("uthreshold");
    taken.lower_threshold = server.value("lthreshold");
    if (server.find("inhibit_on_failure")) service.remove_failed = false;
    std::vector<std::string> checks;
    for (const Statement& each : server.body) {
      if (check_kinds.contains(each.keyword())) {
        checks.push_back(check(section, each));
      } else if (!known_elsewhere_.contains(each.keyword())) {
        not_carried(each);
      }
    }
    if (service.servers.empty()) {
      service.checks = checks;
    } else if (service.checks != checks) {
      note(server.line,
           "this server's checks differ from the first server's; directord has the same checks for all servers of a "
           "service");
    }
    service.servers.push_back(std::move(taken));
  }

  /// A word of the check itself, of the real server's service, or keepalived's default.
  static double setting(const Statement& section, const Statement& check, std::string_view name, double otherwise) {
    if (const auto value = number(check.value(name))) return *value;
    return number(section.value(name)).value_or(otherwise);
  }

  std::string check(const Statement& section, const Statement& check) {
    std::string text = "{ " + kind(section, check);
    const double interval = std::max(0.1, setting(section, check, "delay_loop", 60));
    double timeout = setting(section, check, "connect_timeout", 5);
    if (timeout >= interval) {
      note(check.line, fmt::format("the timeout of {} s is not below the interval of {} s: set to half the interval",
                                   timeout, interval));
      timeout = interval / 2;
    }
    const bool http = check.keyword() == "HTTP_GET" || check.keyword() == "SSL_GET";
    const double retries = setting(section, check, "retry", number(check.value("nb_get_retry")).value_or(http ? 3 : 1));
    text += fmt::format(", interval: {}ms, timeout: {}ms, rise: 1, fall: {}", milliseconds(interval),
                        milliseconds(timeout), static_cast<int>(std::min(retries, 999.0)) + 1);
    if (const std::string pause = check.value("delay_before_retry"); number(pause) && retries > 0) {
      text +=
          fmt::format(", pending_interval: {}ms", std::max(milliseconds(*number(pause)), milliseconds(timeout) + 1));
    }
    if (const std::string address = check.value("connect_ip"); !address.empty())
      text += ", address: " + yaml_string(address);
    if (const std::string port = check.value("connect_port"); !port.empty()) text += ", port: " + yaml_word(port);
    return text + " }";
  }

  std::string kind(const Statement& section, const Statement& check) {
    const std::string_view key = check.keyword();
    if (key == "HTTP_GET" || key == "SSL_GET") return http(section, check);
    if (key == "SMTP_CHECK") return "smtp: {}";
    if (key == "PING_CHECK") return "icmp: {}";
    if (key == "UDP_CHECK") return "udp: {}";
    if (key == "DNS_CHECK") {
      const std::string name = check.value("name"), type = check.value("type");
      return fmt::format("dns: {{ name: {}, type: {} }}", yaml_string(name.empty() ? "." : name),
                         type.empty() ? "SOA" : yaml_word(type));
    }
    if (key == "MISC_CHECK") {
      note(check.line, "the program runs without a shell, as user nobody unless `user` is set");
      return fmt::format("exec: {{ command: {}{} }}", command_words(check.value("misc_path")),
                         check.find("misc_dynamic") ? ", weight: true" : "");
    }
    return "tcp: {}";
  }

  std::string http(const Statement& section, const Statement& check) {
    const bool tls = check.keyword() == "SSL_GET";
    std::string text = tls ? "https: { tls: { verify: false }" : "http: {";
    std::string separator = tls ? ", " : " ";
    const auto add = [&](std::string_view key, std::string_view value) {
      text += fmt::format("{}{}: {}", separator, key, value);
      separator = ", ";
    };
    if (tls) note(check.line, "keepalived does not verify the certificate; set `tls: { verify: true }` to verify it");
    const Statement* url = check.find("url");
    if (!url) return text + " }";
    if (std::ranges::count(check.body, "url", &Statement::keyword) > 1)
      note(check.line, "only the first url is requested");
    if (const std::string path = url->value("path"); !path.empty()) add("path", yaml_string(path));
    std::string host = url->value("virtualhost");
    if (host.empty()) host = check.value("virtualhost");
    if (host.empty()) host = section.value("virtualhost");
    if (!host.empty()) add("host", yaml_string(host));
    std::string status = url->value("status_code");
    if (url->find("digest"))
      note(url->line, "not carried over: digest; use `expect: { body: ... }` to look for a text instead");
    if (status.empty()) status = "200-299";
    add("expect", fmt::format("{{ status: {} }}", yaml_word(status)));
    return text + " }";
  }

  /// Keywords that are read elsewhere, or that ask for what directord does anyway.
  const std::set<std::string_view> known_elsewhere_ = {
      "delay_loop", "protocol", "inhibit_on_failure", "connect_timeout", "weight",     "uthreshold",
      "lthreshold", "retry",    "delay_before_retry", "alpha",           "virtualhost"};

  Imported imported_;
  std::vector<const Statement*> groups_, scripts_;
  std::vector<std::string> router_names_, service_names_;
  bool routers_speak_ = false;
};

}  // namespace

net::Result<Imported> import_keepalived(std::string_view text) {
  const auto file = read_keepalived_file(text);
  if (!file) return std::unexpected(file.error());
  return Importer().take(*file);
}

}  // namespace config
