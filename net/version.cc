#include "net/version.h"

namespace net {

std::string_view version() { return DIRECTORD_VERSION; }

}  // namespace net
