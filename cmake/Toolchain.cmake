# Compiler settings shared by every target, and the functions that make the house's targets.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

# Warnings are shown to everybody; they are errors only where CMAKE_COMPILE_WARNING_AS_ERROR is set, as ./dev lint and
# CI do: the next compiler's new warning is to stop nobody who only wants to use this.
add_library(directord_options INTERFACE)
target_compile_options(directord_options INTERFACE -Wall -Wextra -Wconversion -Wshadow)
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)  # it sees that the library's stable_partition uses what the standard withdrew
  target_compile_options(directord_options INTERFACE -Wno-deprecated-declarations)
endif()
target_include_directories(directord_options INTERFACE ${CMAKE_SOURCE_DIR})

option(DIRECTORD_FUZZ "Build the fuzz targets for libFuzzer; needs clang and DIRECTORD_SANITIZE" OFF)
if(DIRECTORD_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

set(DIRECTORD_SANITIZE OFF CACHE STRING "ON: AddressSanitizer and UndefinedBehaviorSanitizer; thread: ThreadSanitizer")
if(DIRECTORD_SANITIZE)
  set(sanitizers address,undefined)
  if(DIRECTORD_SANITIZE STREQUAL thread)
    set(sanitizers thread)
  endif()
  # GCC's flow analysis loses its way in instrumented code and warns of what is not so; the plain builds keep the warning.
  # Without vptr, which opens a pipe to look at an object of a type that it has not seen: tests that leave no descriptor
  # would fail for it.
  add_compile_options(-fsanitize=${sanitizers} -fno-sanitize=vptr -fno-sanitize-recover=all -fno-omit-frame-pointer
                      $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  add_link_options(-fsanitize=${sanitizers})
else()
  include(Hardening)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

# directord_library(NAME SOURCES... [LINK LIBS...]): one module of the house, as a static library named for its folder.
function(directord_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC directord_options fmt::fmt ${ARG_LINK})
endfunction()

# directord_test(NAME LABEL L SOURCES... LINK LIBS...): a Catch2 program, built with the target L-tests. ctest runs a unit
# test as it is; whoever makes one of another label says how it is run.
function(directord_test name)
  cmake_parse_arguments(ARG "" "LABEL" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES} $<TARGET_OBJECTS:catch_main>)
  target_link_libraries(${name} PRIVATE directord_options Catch2::Catch2 ${ARG_LINK})
  add_dependencies(${ARG_LABEL}-tests ${name})
  if(ARG_LABEL STREQUAL unit)
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 600)
  endif()
endfunction()
