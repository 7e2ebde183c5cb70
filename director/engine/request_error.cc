#include "director/engine/request_error.h"

#include <utility>

namespace director {

unsigned http_status(RequestError::Kind kind) {
  switch (kind) {
    case RequestError::Kind::invalid:
      return 400;
    case RequestError::Kind::forbidden:
      return 403;
    case RequestError::Kind::not_found:
      return 404;
    case RequestError::Kind::wrong_method:
      return 405;
    case RequestError::Kind::conflict:
      return 409;
    case RequestError::Kind::too_large:
      return 413;
    case RequestError::Kind::failed:
      return 500;
    case RequestError::Kind::unavailable:
      return 503;
  }
  std::unreachable();
}

}  // namespace director
