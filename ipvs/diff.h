#pragma once

#include <vector>

#include "ipvs/op.h"

namespace ipvs {

/// The ops that turn `actual` into `desired`, in this order: services added and changed, destinations added and
/// changed, destinations removed, services removed. So at no moment is there less than both tables have in common, and
/// a kernel that died after any of them is completed by diffing again. What differs only in its values is changed,
/// never removed and added: its connections live on.
[[nodiscard]] std::vector<Op> diff(const Table& desired, const Table& actual);

/// The same for one service; null means that it is not there.
[[nodiscard]] std::vector<Op> diff(const ServiceKey& key, const ServiceEntry* desired, const ServiceEntry* actual);

}  // namespace ipvs
