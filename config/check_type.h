#pragma once

#include "checkers/spec.h"
#include "config/type.h"

namespace config {

/// `check`, and each item of `checks`.
Type<checkers::Spec> check_type();

}  // namespace config
