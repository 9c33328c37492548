# Programs to trace, each in the native ABI and in i386. They are compiled like anybody's programs:
# no sanitizers (whose runtime makes calls of its own) and none of our warnings.

if(LUATRACE_32BIT STREQUAL "OFF")
  set(fixtures_32 FALSE)
else()
  include(CheckSourceCompiles)
  if(NOT LUATRACE_CAN_32BIT)
    unset(LUATRACE_CAN_32BIT CACHE) # it may have been installed since
  endif()
  set(CMAKE_REQUIRED_FLAGS -m32)
  set(CMAKE_REQUIRED_QUIET TRUE)
  check_source_compiles(C "#include <stdio.h>
    int main(void) { return puts(\"\"); }" LUATRACE_CAN_32BIT)
  unset(CMAKE_REQUIRED_FLAGS)
  unset(CMAKE_REQUIRED_QUIET)
  set(fixtures_32 ${LUATRACE_CAN_32BIT})
  if(NOT fixtures_32 AND LUATRACE_32BIT STREQUAL "ON")
    message(FATAL_ERROR "The compiler cannot make 32-bit programs (Debian: gcc-multilib)")
  elseif(NOT fixtures_32)
    message(STATUS "No 32-bit fixtures: the compiler cannot make them (Debian: gcc-multilib)")
  endif()
endif()

function(luatrace_add_fixture name source)
  add_executable(fixture-${name} ${source})
  target_compile_definitions(fixture-${name} PRIVATE _GNU_SOURCE)
  target_compile_options(fixture-${name} PRIVATE -O1 -g -UNDEBUG -pthread ${ARGN})
  target_link_options(fixture-${name} PRIVATE -pthread ${ARGN})
  set_target_properties(fixture-${name} PROPERTIES
    OUTPUT_NAME ${name}
    RUNTIME_OUTPUT_DIRECTORY ${tests_dir}/fixtures)
endfunction()

file(GLOB fixtures CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/fixtures/*.c)
foreach(source IN LISTS fixtures)
  cmake_path(GET source STEM name)
  luatrace_add_fixture(${name} ${source})
  if(fixtures_32)
    luatrace_add_fixture(${name}-32 ${source} -m32)
  endif()
endforeach()

# The same stacks, as different compilations leave them.
set(stacks ${CMAKE_CURRENT_SOURCE_DIR}/fixtures/stacks.c)
set(without_tables -fno-omit-frame-pointer -fno-asynchronous-unwind-tables -fno-unwind-tables
  -fno-exceptions)
luatrace_add_fixture(stacks-O0 ${stacks} -O0)
luatrace_add_fixture(stacks-O2 ${stacks} -O2 -fomit-frame-pointer)
luatrace_add_fixture(stacks-bare ${stacks} -O2 -g0 ${without_tables})
luatrace_add_fixture(stacks-static ${stacks} -O2 -static)
if(fixtures_32)
  luatrace_add_fixture(stacks-O2-32 ${stacks} -O2 -fomit-frame-pointer -m32)
endif()

# The same variables, as different compilations describe and place them.
set(variables ${CMAKE_CURRENT_SOURCE_DIR}/fixtures/variables.c)
luatrace_add_fixture(variables-O0 ${variables} -O0)
luatrace_add_fixture(variables-O2 ${variables} -O2)
luatrace_add_fixture(variables-dwarf4 ${variables} -O0 -gdwarf-4 -fdebug-types-section)
luatrace_add_fixture(variables-static ${variables} -O0 -static)
if(fixtures_32)
  luatrace_add_fixture(variables-O0-32 ${variables} -O0 -m32)
endif()

# A shared object, and a program without any.
set(libraries ${CMAKE_CURRENT_SOURCE_DIR}/fixtures/lib)
add_library(fixture-plugin MODULE ${libraries}/plugin.c)
target_compile_options(fixture-plugin PRIVATE -O1 -g)
set_target_properties(fixture-plugin PROPERTIES OUTPUT_NAME plugin PREFIX ""
  LIBRARY_OUTPUT_DIRECTORY ${tests_dir}/fixtures)
luatrace_add_fixture(functions-static ${CMAKE_CURRENT_SOURCE_DIR}/fixtures/functions.c -static)
luatrace_add_fixture(functions-now ${CMAKE_CURRENT_SOURCE_DIR}/fixtures/functions.c -O2 -Wl,-z,now)

# Functions that are counted without a stop, in programs that were linked in other ways.
add_library(fixture-probed MODULE ${libraries}/probed.c)
target_compile_options(fixture-probed PRIVATE -O1 -g)
set_target_properties(fixture-probed PROPERTIES OUTPUT_NAME probed PREFIX ""
  LIBRARY_OUTPUT_DIRECTORY ${tests_dir}/fixtures)
set(probes ${CMAKE_CURRENT_SOURCE_DIR}/fixtures/probes.c)
luatrace_add_fixture(probes-fixed ${probes} -O2 -fno-pie -no-pie -fcf-protection=full)
set_target_properties(fixture-probes-fixed PROPERTIES POSITION_INDEPENDENT_CODE OFF)
luatrace_add_fixture(probes-now ${probes} -O2 -fcf-protection=full -Wl,-z,now)
luatrace_add_fixture(probes-O0 ${probes} -O0)

# Library calls that are bound at the start and jumped to from nowhere else, or linked in.
set(libcalls ${CMAKE_CURRENT_SOURCE_DIR}/fixtures/libcalls.c)
luatrace_add_fixture(libcalls-now ${libcalls} -fno-plt -Wl,-z,now)
luatrace_add_fixture(libcalls-static ${libcalls} -static)
luatrace_add_fixture(heap-static ${CMAKE_CURRENT_SOURCE_DIR}/fixtures/heap.c -static)
if(fixtures_32)
  luatrace_add_fixture(libcalls-static-32 ${libcalls} -static -m32)
endif()

# Programs in C++, where there is a compiler.
include(CheckLanguage)
check_language(CXX)
if(CMAKE_CXX_COMPILER)
  enable_language(CXX)
  file(GLOB fixtures CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/fixtures/*.cc)
  foreach(source IN LISTS fixtures)
    cmake_path(GET source STEM name)
    luatrace_add_fixture(${name} ${source})
  endforeach()
  luatrace_add_fixture(objects-O0 ${CMAKE_CURRENT_SOURCE_DIR}/fixtures/objects.cc -O0)
endif()
