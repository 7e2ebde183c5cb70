# What the compiler and the linker can do against a mistake of ours that a stranger's bytes reach: programs at random
# addresses (PIE), tables that are read-only once the program is loaded (full RELRO), stack protectors, checked buffer
# and container bounds, and the CPU's control-flow enforcement where compiler and libraries support it (CET).
# test/hardening/hardened reads it in the programs.
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_compile_options(-fno-semantic-interposition)  # the libraries are static: nothing is replaced when a program is loaded
add_link_options(LINKER:-z,relro,-z,now)
add_compile_options(-fstack-protector-strong)
add_compile_definitions(_GLIBCXX_ASSERTIONS)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|i.86")
  add_compile_options(-fcf-protection -fstack-clash-protection)
endif()
if(NOT CMAKE_BUILD_TYPE STREQUAL Debug)  # it needs an optimizing compiler
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
