#pragma once

#include <filesystem>
#include <string>

#include "net/error.h"

namespace director {

struct Answer {
  long status = 0;
  std::string body;
};

/// One request over the daemon's Unix socket. An error means that no answer came: no daemon, no permission, no time.
[[nodiscard]] net::Result<Answer> http_request(const std::filesystem::path& socket, const std::string& method,
                                               const std::string& path, const std::string& body = {});

}  // namespace director
