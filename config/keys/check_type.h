#pragma once

#include "checkers/spec.h"
#include "config/schema/type.h"

namespace config {

/// `check`, and each item of `checks`.
Object<checkers::Spec> check_object();

}  // namespace config
