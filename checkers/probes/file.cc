#include "checkers/probes/file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "checkers/probes/agent.h"
#include "net/file.h"

namespace checkers {
namespace {

constexpr std::size_t most = 4095;

}  // namespace

Result read_state_file(const File& spec) {
  const auto doing = fmt::format("file {}", spec.path);
  const auto file = net::read_file(spec.path, most);
  if (!file) {
    switch (file.error().kind) {
      case net::FileError::Kind::directory:
      case net::FileError::Kind::not_regular:
        return could_not_run(doing, "not a regular file");
      case net::FileError::Kind::too_large:
        return could_not_run(doing, "larger than 4 KiB");
      case net::FileError::Kind::system:
        break;
    }
    return file.error().code == ENOENT ? passed(doing, "no such file")
                                       : could_not_run(doing, std::strerror(file.error().code));
  }
  const auto line = std::string_view(file->text).substr(0, file->text.find('\n'));
  return line.empty() ? passed(doing, "empty") : result_of_advice(doing, line);
}

}  // namespace checkers
