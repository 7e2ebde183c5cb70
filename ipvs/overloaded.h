#pragma once

namespace ipvs {

/// One callable of many lambdas, for std::visit.
template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};

}  // namespace ipvs
