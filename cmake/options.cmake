# How our own code is compiled, as an interface target that each of our targets links privately.
# Fixtures do not use it: they are ordinary programs.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

add_library(luatrace-options INTERFACE)
target_compile_definitions(luatrace-options INTERFACE _GNU_SOURCE)
target_compile_options(luatrace-options INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  $<$<BOOL:${LUATRACE_WERROR}>:-Werror>
  -fvisibility=hidden
  -fstack-protector-strong)
# A tracer reads what hostile programs write.
target_link_options(luatrace-options INTERFACE -Wl,-z,relro,-z,now)

add_library(luatrace-sanitizers INTERFACE)
if(LUATRACE_SANITIZE)
  set(LUATRACE_SANITIZE_FLAGS
    -fsanitize=${LUATRACE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(luatrace-sanitizers INTERFACE ${LUATRACE_SANITIZE_FLAGS})
  target_link_options(luatrace-sanitizers INTERFACE ${LUATRACE_SANITIZE_FLAGS})
else()
  # glibc's checks need optimisation, and hide what the sanitizers would show.
  target_compile_options(luatrace-options INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
endif()
if(LUATRACE_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "LUATRACE_FUZZ needs Clang (Debian: clang, libclang-rt-14-dev)")
  endif()
  target_compile_options(luatrace-sanitizers INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(luatrace-sanitizers INTERFACE -fsanitize=fuzzer-no-link)
endif()
target_link_libraries(luatrace-options INTERFACE luatrace-sanitizers)

# The program is optimized as a whole: a fifth fewer instructions for an event. What goes into
# libraries and tests is not, as their objects would only fit this very compiler.
add_library(luatrace-whole INTERFACE)
set(LUATRACE_WHOLE OFF)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND NOT LUATRACE_SANITIZE
    AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(LUATRACE_WHOLE ON)
  target_compile_options(luatrace-whole INTERFACE -flto=auto)
  target_link_options(luatrace-whole INTERFACE -flto=auto)
endif()
