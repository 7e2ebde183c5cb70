// fmt inside the program: Debian has it as a shared library only, which brings the shared libstdc++ with it, and to
// load and relocate the two takes longer than most of ipvsctl's commands. Without locales, which ipvsctl has no use
// for: they are most of libstdc++, and their start touches all of it.
#define FMT_STATIC_THOUSANDS_SEPARATOR ','
#include <fmt/format-inl.h>

template fmt::detail::thousands_sep_result<char> fmt::detail::thousands_sep_impl<char>(fmt::detail::locale_ref);
template char fmt::detail::decimal_point_impl<char>(fmt::detail::locale_ref);
