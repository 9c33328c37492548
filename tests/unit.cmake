# Tests of the engine's pure parts, in C with cmocka.

pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka)
if(NOT CMOCKA_FOUND)
  message(STATUS "No unit tests: cmocka was not found (Debian: libcmocka-dev)")
  return()
endif()

file(GLOB unit_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/unit/*_test.c)
file(GLOB unit_support CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/unit/*.c)
if(unit_tests)
  list(REMOVE_ITEM unit_support ${unit_tests})
endif()

foreach(source IN LISTS unit_tests)
  cmake_path(GET source STEM name)
  add_executable(${name} ${source} ${unit_support})
  target_include_directories(${name} PRIVATE
    ${PROJECT_SOURCE_DIR}/engine ${CMAKE_CURRENT_SOURCE_DIR}/unit)
  target_link_libraries(${name} PRIVATE
    luatrace-engine luatrace-options luatrace-uthash luatrace-zydis PkgConfig::CMOCKA)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${tests_dir}/unit)
  target_compile_options(${name} PRIVATE -UNDEBUG)
  string(REGEX REPLACE "_test$" "" test "${name}")
  luatrace_add_test(unit-${test} unit ${source} ${name})
endforeach()
