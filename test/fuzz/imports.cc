// Other tools' files. The first byte chooses keepalived's or ldirectord's.
#include <yaml-cpp/yaml.h>

#include "config/import/imported.h"
#include "config/load.h"
#include "test/fuzz/target.h"

namespace {

bool is_yaml(const std::string& text) {
  try {
    YAML::Load(text);
    return true;
  } catch (const YAML::Exception& error) {
    std::fprintf(stderr, "%s\n%s", error.what(), text.c_str());
    return false;
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bool keepalived = fuzz::take_choice(data, size) % 2;
  const std::string_view text = fuzz::as_text(data, size);
  const auto imported = keepalived ? config::import_keepalived(text) : config::import_ldirectord(text);
  if (!imported) return 0;
  // What it means is checked like any other cluster file; that it is YAML at all is the importer's business.
  const std::string file = config::to_yaml(*imported);
  fuzz::require(is_yaml(file), "an import is YAML");
  (void)config::load_text("cluster.yaml", file);
  return 0;
}
