# Tests of behaviour: each file drives the program from outside, in a busted of its own.

# busted's first line names whatever Lua is the system's; the specs want this one.
find_program(LUA_PROGRAM NAMES lua5.4 lua-5.4 lua54)
find_program(BUSTED_PROGRAM busted)
mark_as_advanced(LUA_PROGRAM BUSTED_PROGRAM)
if(NOT LUA_PROGRAM OR NOT BUSTED_PROGRAM)
  message(STATUS "No specs: lua5.4 or busted was not found (Debian: lua5.4 lua-busted)")
  return()
endif()

file(GLOB specs CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/spec/*_spec.lua)
foreach(source IN LISTS specs)
  cmake_path(GET source STEM name)
  string(REGEX REPLACE "_spec$" "" name "${name}")
  luatrace_add_test(spec-${name} spec ${source}
    ${LUA_PROGRAM} ${BUSTED_PROGRAM} --output=plainTerminal ${source})
endforeach()
