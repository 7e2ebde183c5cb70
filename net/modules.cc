#include "net/modules.h"

#include <sys/utsname.h>

#include <algorithm>

#include "net/file.h"

namespace net {
namespace {

std::optional<std::string> text_of(const std::filesystem::path& path) {
  constexpr std::size_t most = 64 << 20;
  auto file = read_file(path, most);
  return file ? std::optional(std::move(file->text)) : std::nullopt;
}

}  // namespace

Modules::Modules(std::optional<std::string> loaded, std::optional<std::string> files,
                 std::optional<std::string> built_in)
    : loaded_("\n" + std::move(loaded).value_or("")),
      available_(files.value_or("") + "\n" + built_in.value_or("")),
      all_known_(files && built_in) {}

Modules Modules::of_host(const std::filesystem::path& root, std::string release) {
  if (utsname names{}; release.empty() && uname(&names) == 0) release = names.release;
  const auto folder = root / "lib/modules" / release;
  return {text_of(root / "proc/modules"), text_of(folder / "modules.dep"), text_of(folder / "modules.builtin")};
}

/// A file, "kernel/net/netfilter/ipvs/ip_vs_wrr.ko.xz", may have dashes where the kernel has underscores.
Modules::Presence Modules::find(std::string_view name) const {
  if (loaded_.contains("\n" + std::string(name) + " ")) return Presence::loaded;
  std::string file = "/" + std::string(name) + ".ko";
  if (available_.contains(file)) return Presence::available;
  std::ranges::replace(file, '_', '-');
  if (available_.contains(file)) return Presence::available;
  return all_known_ ? Presence::missing : Presence::unknown;
}

}  // namespace net
