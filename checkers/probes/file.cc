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
    const auto cannot = [&](std::string_view why, int error) {
      return could_not_run(doing, why, error, fmt::format("{}: {}", doing, why));
    };
    switch (file.error().kind) {
      case net::FileError::Kind::directory:
      case net::FileError::Kind::not_regular:
        return cannot("not a regular file", 0);
      case net::FileError::Kind::too_large:
        return cannot("larger than 4 KiB", 0);
      case net::FileError::Kind::system:
        break;
    }
    const int error = file.error().code;
    return error == ENOENT ? passed(doing, "no such file") : cannot(std::strerror(error), error);
  }
  const auto line = std::string_view(file->text).substr(0, file->text.find('\n'));
  return line.empty() ? passed(doing, "empty") : result_of_advice(doing, line);
}

}  // namespace checkers
