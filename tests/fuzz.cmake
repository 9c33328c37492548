# Fuzz targets: fuzz/NAME.c is linked with libFuzzer (preset fuzz), or with a main() that runs the
# files of fuzz/corpus/NAME, as a test.

file(GLOB fuzz_targets CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/*.c)
list(FILTER fuzz_targets EXCLUDE REGEX "/run\\.c$")

foreach(source IN LISTS fuzz_targets)
  cmake_path(GET source STEM name)
  add_executable(fuzz-${name} ${source})
  target_include_directories(fuzz-${name} PRIVATE
    ${PROJECT_SOURCE_DIR}/engine ${CMAKE_CURRENT_SOURCE_DIR}/fuzz)
  target_link_libraries(fuzz-${name} PRIVATE
    luatrace-engine luatrace-options luatrace-uthash PkgConfig::LIBDW PkgConfig::LIBELF)
  # Answers come from the target, not from a reader process.
  if(name STREQUAL "answers")
    target_link_options(fuzz-${name} PRIVATE
      -Wl,--wrap=lt_reader_ask -Wl,--wrap=lt_modules_of -Wl,--wrap=lt_module_at)
  endif()
  set_target_properties(fuzz-${name} PROPERTIES
    OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${tests_dir}/fuzz)
  if(LUATRACE_FUZZ)
    target_link_options(fuzz-${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(fuzz-${name} PRIVATE fuzz/run.c)
    luatrace_add_test(fuzz-${name} fuzz ${source}
      fuzz-${name} ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${name})
  endif()
endforeach()
