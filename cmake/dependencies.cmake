# The libraries that luatrace is built with.

if(NOT LUATRACE_LUA STREQUAL "5.4")
  message(FATAL_ERROR "LUATRACE_LUA=${LUATRACE_LUA}: luatrace can be built for Lua 5.4 only; "
    "configure with -DLUATRACE_LUA=5.4")
endif()

find_package(PkgConfig REQUIRED)
pkg_search_module(LUA IMPORTED_TARGET lua5.4 lua-5.4 lua54 "lua>=5.4")
if(NOT LUA_FOUND)
  message(FATAL_ERROR "Lua 5.4 was not found; install its headers (Debian: liblua5.4-dev)")
endif()

pkg_check_modules(LIBELF IMPORTED_TARGET libelf)
if(NOT LIBELF_FOUND)
  message(FATAL_ERROR "libelf was not found; install its headers (Debian: libelf-dev)")
endif()

pkg_check_modules(LIBDW IMPORTED_TARGET libdw)
if(NOT LIBDW_FOUND)
  message(FATAL_ERROR "libdw was not found; install its headers (Debian: libdw-dev)")
endif()

find_path(ZYDIS_INCLUDE_DIR Zydis/Zydis.h)
find_library(ZYDIS_LIBRARY Zydis)
if(NOT ZYDIS_INCLUDE_DIR OR NOT ZYDIS_LIBRARY)
  message(FATAL_ERROR "Zydis was not found; install it (Debian: libzydis-dev)")
endif()
add_library(luatrace-zydis INTERFACE)
target_include_directories(luatrace-zydis SYSTEM INTERFACE ${ZYDIS_INCLUDE_DIR})
target_link_libraries(luatrace-zydis INTERFACE ${ZYDIS_LIBRARY})

find_path(IBERTY_INCLUDE_DIR libiberty/demangle.h)
find_library(IBERTY_LIBRARY iberty)
if(NOT IBERTY_INCLUDE_DIR OR NOT IBERTY_LIBRARY)
  message(FATAL_ERROR "libiberty was not found; install it (Debian: libiberty-dev)")
endif()
add_library(luatrace-iberty INTERFACE)
target_include_directories(luatrace-iberty SYSTEM INTERFACE ${IBERTY_INCLUDE_DIR}/libiberty)
target_link_libraries(luatrace-iberty INTERFACE ${IBERTY_LIBRARY})

find_path(UTHASH_INCLUDE_DIR uthash.h)
if(NOT UTHASH_INCLUDE_DIR)
  message(FATAL_ERROR "uthash.h was not found; install it (Debian: uthash-dev)")
endif()
add_library(luatrace-uthash INTERFACE)
target_include_directories(luatrace-uthash SYSTEM INTERFACE ${UTHASH_INCLUDE_DIR})
