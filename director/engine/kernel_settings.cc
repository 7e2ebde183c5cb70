#include "director/engine/kernel_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace director {
namespace {

const config::Service* persistent(const config::Cluster& cluster) {
  const auto found = std::ranges::find_if(
      cluster.services, [](const config::Service& service) { return service.spec.persistence.count() != 0; });
  return found == cluster.services.end() ? nullptr : &*found;
}

/// What goes wrong without a setting; "" where the cluster does not need it.
std::string without_quiescence(const config::Cluster& cluster) {
  const auto* service = persistent(cluster);
  if (service == nullptr) return "";
  return fmt::format("persistent clients of service {} stay on failed and drained servers", service->name);
}

std::string without_sloppiness(const config::Cluster& cluster) {
  return cluster.stateless_takeover ? "stateless_takeover does not work: open connections are lost with their director"
                                    : "";
}

struct Wanted {
  const char* name;  ///< below /proc/sys/net/ipv4/vs; the value is 1
  std::string (*without)(const config::Cluster&);
};

constexpr auto retry_delay = std::chrono::seconds(10);

constexpr std::array<Wanted, 3> all{{{"expire_quiescent_template", without_quiescence},
                                     {"sloppy_tcp", without_sloppiness},
                                     {"sloppy_sctp", without_sloppiness}}};

}  // namespace

KernelSettings::KernelSettings(net::Loop& loop, net::Host& host, EventLog& log, std::filesystem::path memory)
    : loop_(loop), log_(log), sysctls_(host, std::move(memory)) {}

void KernelSettings::set(const config::Cluster& cluster) {
  needed_.clear();
  for (const auto& [name, without] : all) needed_[name] = without(cluster);
  adjust();
}

void KernelSettings::adjust() {
  loop_.cancel(std::exchange(retry_timer_, 0));
  const auto before = std::exchange(problems_, {});
  for (const auto& [name, harm] : needed_) {
    const std::string path = "net/ipv4/vs/" + name;
    if (harm.empty()) {
      sysctls_.restore(path);
    } else if (const auto set = sysctls_.set(path, "1"); !set) {
      problems_[name] = fmt::format("kernel setting net.ipv4.vs.{} is not 1: {}; {}; set it on the host", name,
                                    set.error().message, harm);
    }
  }
  for (const auto& [name, problem] : problems_) {
    const auto known = before.find(name);
    if (known == before.end() || known->second != problem) log_.add(events::setting_error(problem));
  }
  if (!problems_.empty()) retry_timer_ = loop_.after(retry_delay, [this] { adjust(); });
}

void KernelSettings::restore() {
  loop_.cancel(std::exchange(retry_timer_, 0));
  sysctls_.restore();
  problems_.clear();
}

}  // namespace director
