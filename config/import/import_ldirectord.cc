// ldirectord.cf: lines KEY = VALUE; those that are indented belong to the virtual service above them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "config/import/imported.h"
#include "net/address.h"

namespace config {
namespace {

constexpr std::string_view spaces = " \t\r";

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(spaces), text.size()));
  return text.substr(0, text.find_last_not_of(spaces) + 1);
}

std::string unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  return std::string(text);
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
    const std::size_t end = text.front() == '"' ? std::min(text.find('"', 1), text.size() - 1) + 1
                                                : std::min(text.find_first_of(" \t,"), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::max<std::size_t>(end, 1));
  }
  return words;
}

struct Setting {
  int line = 0;
  std::string key, value;
};

/// One service's settings, or those before the first.
struct Section {
  int line = 0;
  std::string virtual_server;
  std::vector<Setting> settings{};
};

class Importer {
 public:
  Imported take(std::string_view text) {
    for (const Section& section : sections_of(text)) {
      if (section.virtual_server.empty()) {
        take_globals(section);
      } else {
        take_service(section);
      }
    }
    return std::move(imported_);
  }

 private:
  void note(int line, std::string_view what) { imported_.notes.push_back(fmt::format("line {}: {}", line, what)); }
  void not_carried(const Setting& setting) {
    note(setting.line, fmt::format("not carried over: {} = {}", setting.key, setting.value));
  }

  std::vector<Section> sections_of(std::string_view text) {
    std::vector<Section> sections(1);
    for (int number = 1; !text.empty(); ++number) {
      std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      const bool indented = line.starts_with(' ') || line.starts_with('\t');
      line = trimmed(line.substr(0, line.find('#')));
      if (line.empty()) continue;
      const std::size_t equals = line.find('=');
      if (equals == line.npos) {
        note(number, fmt::format("not understood: {}", line));
        continue;
      }
      const std::string key(trimmed(line.substr(0, equals))), value(trimmed(line.substr(equals + 1)));
      if (key == "virtual" || key == "virtual6") {
        sections.push_back({.line = number, .virtual_server = value});
      } else {
        (indented ? sections.back() : sections.front())
            .settings.push_back({.line = number, .key = key, .value = value});
      }
    }
    return sections;
  }

  void take_globals(const Section& section) {
    for (const Setting& each : section.settings) {
      if (timing_.contains(each.key) || each.key == "quiescent" || each.key == "fallback") {
        globals_[each.key] = each.value;
      } else if (each.key != "autoreload") {
        not_carried(each);
      }
    }
  }

  void take_service(const Section& section) {
    Imported::Service service{.name = {}};
    std::map<std::string, std::string> values = globals_;
    std::vector<const Setting*> masks;
    for (const Setting& each : section.settings) {
      if (each.key == "real" || each.key == "real6") {
        take_server(each, service);
      } else if (each.key == "scheduler") {
        service.scheduler = each.value;
      } else if (each.key == "persistent") {
        service.persistence = each.value + "s";
      } else if (each.key == "netmask" && !mask_length(each.value).empty()) {
        masks.push_back(&each);
      } else if (timing_.contains(each.key) || check_words_.contains(each.key)) {
        values[each.key] = unquoted(each.value);
      } else {
        not_carried(each);
      }
    }
    for (const Setting* mask : masks) {
      if (service.persistence.empty()) {
        not_carried(*mask);
      } else {
        service.options.emplace_back("persistence_mask", mask_length(mask->value));
      }
    }
    const bool mark = std::ranges::all_of(section.virtual_server, [](char c) { return c >= '0' && c <= '9'; });
    if (mark) {
      service.fwmark = section.virtual_server;
    } else {
      const std::string protocol = value_of(values, "protocol", "tcp");
      service.listen = (protocol == "udp" ? "udp://" : "") + section.virtual_server;
    }
    service.name = free_name(section.virtual_server, names_);
    names_.push_back(service.name);
    service.remove_failed = value_of(values, "quiescent", "no") == "no";
    if (const auto fallback = words_of(value_of(values, "fallback", "")); !fallback.empty())
      service.fallback = fallback.front();
    if (const std::string check = check_of(section, values); !check.empty()) service.checks = {check};
    drop_equal_ports(service);
    if (const auto why = fallback_problem(service); !why.empty()) {
      note(section.line, fmt::format("not carried over: fallback = {}: {}", service.fallback, why));
      service.fallback.clear();
    }
    imported_.services.push_back(std::move(service));
  }

  /// real = ADDRESS[->ADDRESS][:PORT] gate|masq|ipip [WEIGHT] ["REQUEST", "RECEIVE"]
  void take_server(const Setting& setting, Imported::Service& service) {
    const auto words = words_of(setting.value);
    if (words.empty()) return not_carried(setting);
    if (words.size() > 1) {
      const std::string forward = words[1] == "gate" ? "dr" : words[1] == "ipip" ? "tunnel" : "nat";
      if (service.servers.empty()) service.forward = forward;
      if (forward != service.forward)
        note(setting.line, "this server has a different forwarding method; directord has one for each service");
    }
    std::string weight = "1";
    if (words.size() > 2 && words[2].find_first_not_of("0123456789") == std::string::npos) weight = words[2];
    if (std::ranges::any_of(words, [](const std::string& word) { return word.starts_with('"'); })) {
      note(setting.line, "not carried over: this server's own request and receive; directord uses the service's check");
    }
    const std::size_t arrow = words[0].find("->");
    if (arrow == std::string::npos) return service.servers.push_back({.address = words[0], .weight = weight});
    const std::string last = words[0].substr(arrow + 2);
    const std::size_t colon = last.rfind(':');
    const std::string port = colon == std::string::npos ? "" : last.substr(colon);
    add_range(setting, words[0].substr(0, arrow), last.substr(0, colon), port, weight, service);
  }

  void add_range(const Setting& setting, const std::string& first, const std::string& last, const std::string& port,
                 const std::string& weight, Imported::Service& service) {
    const auto from = net::Address::parse(first), to = net::Address::parse(last);
    if (!from || !to || !from->is_v4() || !to->is_v4()) return not_carried(setting);
    const auto prefix = first.substr(0, first.rfind('.') + 1);
    const unsigned low = std::to_integer<unsigned>(from->bytes()[3]), high = std::to_integer<unsigned>(to->bytes()[3]);
    if (!last.starts_with(prefix) || low > high) return not_carried(setting);
    for (unsigned i = low; i <= high; ++i)
      service.servers.push_back({.address = fmt::format("{}{}{}", prefix, i, port), .weight = weight});
  }

  /// What has the service's port needs none of its own.
  static void drop_equal_ports(Imported::Service& service) {
    const std::size_t colon = service.listen.rfind(':');
    if (colon == std::string::npos) return;
    const std::string port = service.listen.substr(colon);
    for (auto& server : service.servers) {
      if (server.address.ends_with(port) && !server.address.starts_with('['))
        server.address.resize(server.address.size() - port.size());
    }
  }

  static std::string value_of(const std::map<std::string, std::string>& values, const std::string& key,
                              std::string_view otherwise) {
    const auto found = values.find(key);
    return found == values.end() ? std::string(otherwise) : found->second;
  }

  static int number_of(const std::map<std::string, std::string>& values, const std::string& key, int otherwise) {
    const std::string text = value_of(values, key, "");
    int value = otherwise;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return std::clamp(value, 1, 86'400);
  }

  /// Empty: no check.
  std::string check_of(const Section& section, const std::map<std::string, std::string>& values) {
    const std::string type = value_of(values, "checktype", "negotiate");
    if (type == "on") return {};
    if (type == "off") {
      note(section.line, "checktype = off keeps all servers out; use `directorctl disable` for that");
      return {};
    }
    const int interval = number_of(values, "checkinterval", 10);
    const bool asks = type == "negotiate";
    int timeout = number_of(values, asks && values.contains("negotiatetimeout") ? "negotiatetimeout" : "checktimeout",
                            asks ? 30 : 5);
    if (timeout >= interval) {
      note(section.line, fmt::format("the timeout of {} s is not below the interval of {} s: set to half the interval",
                                     timeout, interval));
      timeout = interval;
    }
    const std::string millis = timeout == interval ? fmt::format("{}ms", interval * 500) : fmt::format("{}s", timeout);
    const std::string port = value_of(values, "checkport", "");
    return fmt::format("{{ {}, interval: {}s, timeout: {}, rise: 1, fall: {}{} }}", kind_of(section, type, values),
                       interval, millis, number_of(values, asks ? "failurecount" : "checkcount", 1),
                       port.empty() ? "" : ", port: " + yaml_word(port));
  }

  std::string kind_of(const Section& section, const std::string& type,
                      const std::map<std::string, std::string>& values) {
    if (type == "connect") return "tcp: {}";
    if (type == "ping") return "icmp: {}";
    if (type == "external" || type == "external-perl") {
      note(section.line,
           "the program is called without arguments; the environment variables CHECK_ADDRESS and CHECK_PORT name the "
           "server");
      return fmt::format("exec: {{ command: [{}] }}", yaml_string(value_of(values, "checkcommand", fill_in)));
    }
    const std::string service = value_of(values, "service", service_by_port(section.virtual_server));
    if (service == "http" || service == "https") return http(service, values);
    if (service == "smtp") return "smtp: {}";
    if (service == "dns") {
      const std::string name = value_of(values, "request", ".");
      return fmt::format("dns: {{ name: {}, type: A }}", yaml_string(name));
    }
    if (type != "negotiate" || service != "simpletcp") {
      note(section.line,
           fmt::format("not carried over: a check of type {} for {}; a TCP probe is used instead", type, service));
      return "tcp: {}";
    }
    return fmt::format("tcp: {{ script: [{{ send: {} }}, {{ expect: {{ regex: {} }} }}] }}",
                       yaml_string(value_of(values, "request", "")), yaml_string(value_of(values, "receive", "")));
  }

  static std::string http(const std::string& service, const std::map<std::string, std::string>& values) {
    std::string path = value_of(values, "request", "/");
    if (!path.starts_with('/')) path.insert(0, "/");
    std::string text = fmt::format("{}: {{ path: {}", service, yaml_string(path));
    if (const auto host = value_of(values, "virtualhost", ""); !host.empty()) text += ", host: " + yaml_string(host);
    if (value_of(values, "httpmethod", "GET") == "HEAD") text += ", method: HEAD";
    if (service == "https") text += ", tls: { verify: false }";
    const auto receive = value_of(values, "receive", "");
    text += ", expect: { status: 200-299";
    if (!receive.empty()) text += fmt::format(", body: {{ regex: {} }}", yaml_string(receive));
    return text + " } }";
  }

  /// ldirectord guesses the protocol from the port.
  static std::string service_by_port(const std::string& virtual_server) {
    const std::map<std::string_view, std::string_view> known = {
        {":80", "http"}, {":443", "https"}, {":25", "smtp"}, {":53", "dns"}, {":http", "http"}, {":https", "https"}};
    const std::size_t colon = virtual_server.rfind(':');
    const auto found =
        colon == std::string::npos ? known.end() : known.find(std::string_view(virtual_server).substr(colon));
    return std::string(found == known.end() ? "none" : found->second);
  }

  const std::set<std::string_view> timing_ = {"checktimeout", "negotiatetimeout", "checkinterval", "checkcount",
                                              "failurecount"};
  const std::set<std::string_view> check_words_ = {"checktype",   "service",      "request",   "receive",
                                                   "virtualhost", "checkport",    "protocol",  "fallback",
                                                   "quiescent",   "checkcommand", "httpmethod"};

  Imported imported_;
  std::map<std::string, std::string> globals_;
  std::vector<std::string> names_;
};

}  // namespace

Imported import_ldirectord(std::string_view text) { return Importer().take(text); }

}  // namespace config
