#include "ipvs/ctl/lines.h"

#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace ipvs {

bool Lines::next(std::string& line) {
  line.clear();
  while (true) {
    const std::string_view rest(buffer_.data() + at_, size_ - at_);
    const std::size_t end = rest.find('\n');
    line.append(rest.substr(0, end));
    if (end != rest.npos) {
      at_ += end + 1;
      return true;
    }
    const ssize_t got = ::read(input_, buffer_.data(), buffer_.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) error_ = errno;
    at_ = 0;
    size_ = got > 0 ? static_cast<std::size_t>(got) : 0;
    if (got <= 0) return !line.empty();
  }
}

}  // namespace ipvs
