#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ipvs/types.h"
#include "net/error.h"

/// Other tools' configuration as a cluster file. What a file does not say is not made up: where something must be
/// filled in (FILL_IN) the cluster file is refused until it is.
namespace config {

inline constexpr std::string_view fill_in = "FILL_IN";

/// What an importer understood, and what it did not. Texts are those of the imported file: addresses and numbers are
/// checked when the cluster file is loaded.
struct Imported {
  struct Node {
    std::string name;
    std::string address{fill_in};
    std::string priority{};  ///< empty = the default
  };

  struct Tracker {
    std::string name;
    std::string text;  ///< a map as the cluster file has it
  };

  struct Router {
    std::string name;
    std::string router_id{fill_in};
    std::string interface{};               ///< empty = FILL_IN, unless unicast
    std::vector<std::string> addresses{};  ///< each as the cluster file has it
    std::vector<std::string> routes{};     ///< each as the cluster file has it
    std::vector<Tracker> trackers{};
    std::vector<std::pair<std::string, std::string>> priorities{};  ///< by node; of others, the node's own
    std::string advertise{};                                        ///< with its unit; empty = the default
    std::string preempt{};                                          ///< empty = the default
    bool unicast = false;
    bool virtual_mac = false;
  };

  struct Server {
    std::string address;  ///< with its port where it is not the service's
    std::string weight = "1";
    std::string upper_threshold{};
    std::string lower_threshold{};
  };

  struct Service {
    std::string name;
    std::string listen{};  ///< empty: `fwmark`
    std::string fwmark{};
    std::string scheduler = "wlc";
    std::string forward = "nat";
    std::vector<std::pair<std::string, std::string>> options{};  ///< further keys and their values
    std::string persistence{};                                   ///< with its unit
    std::vector<std::string> checks{};  ///< each a map as the cluster file has it: "{ tcp: {}, interval: 2s }"
    bool remove_failed = false;
    std::vector<Server> servers{};
    std::string fallback{};
    std::string quorum{};
  };

  std::string cluster = "imported";
  std::vector<Node> nodes{};
  std::vector<Router> routers{};
  std::vector<std::vector<std::string>> groups{};
  std::string sync_interface{};  ///< empty = no synchronisation of connections
  std::string sync_id{};
  std::vector<Service> services{};
  std::vector<std::string>
      notes{};  ///< what could not be carried over, and what means something else here; a line each
};

/// keepalived.conf(5), also without its includes. Error: the braces do not match.
[[nodiscard]] net::Result<Imported> import_keepalived(std::string_view text);

/// ldirectord.cf(5).
[[nodiscard]] Imported import_ldirectord(std::string_view text);

/// A kernel's table, from rules of ipvsadm or as it is.
[[nodiscard]] Imported import_table(const ipvs::Table& table);

/// A netmask ("255.255.255.0") or prefix length as the value of persistence_mask: "24"; empty where it is none.
[[nodiscard]] std::string mask_length(std::string_view text);

/// Why a cluster file with this service is refused for its fallback; empty if it is not.
[[nodiscard]] std::string fallback_problem(const Imported::Service& service);

/// The cluster file, its notes before it as comments.
[[nodiscard]] std::string to_yaml(const Imported& imported);

/// A string as YAML has it: as it is, or in quotes where it would be something else.
[[nodiscard]] std::string yaml_string(std::string_view text);

/// A word that YAML may read as a number or a time, or a string if it is none.
[[nodiscard]] std::string yaml_word(std::string_view text);

/// A name that `taken` does not contain: `wanted` with '-' for what a name cannot have, and a number after it if
/// needed.
[[nodiscard]] std::string free_name(std::string_view wanted, const std::vector<std::string>& taken);

}  // namespace config
