# cmake -DNM=nm -DARCHIVE=libluatrace.a -P check_engine.cmake
#
# Prove what the engine promises about its symbols: it names nothing of Lua, what it defines
# for others begins with lt_, and only kernel.c makes requests about other processes.

set(ours "^lt_")
set(lua "^luaL?_")
set(requests "^(ptrace|waitpid|waitid|wait4|process_vm_readv|process_vm_writev)$")
set(failures "")

execute_process(COMMAND ${NM} --extern-only --portability --print-file-name ${ARCHIVE}
  OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n" ";" symbols "${symbols}")
foreach(symbol IN LISTS symbols)
  # archive.a[object.c.o]: name type ...
  if(NOT symbol MATCHES "\\[([^]]*)\\]: ([^ ]+) ([A-Za-z])")
    continue()
  endif()
  set(object ${CMAKE_MATCH_1})
  set(name ${CMAKE_MATCH_2})
  set(type ${CMAKE_MATCH_3})
  if(name MATCHES ${lua})
    list(APPEND failures "${object} names ${name}")
  elseif(type STREQUAL "U")
    if(name MATCHES ${requests} AND NOT object STREQUAL "kernel.c.o")
      list(APPEND failures "${object} calls ${name} (only kernel.c may)")
    endif()
  elseif(NOT name MATCHES ${ours} AND NOT name MATCHES "^__(odr_)?asan")
    list(APPEND failures "${object} defines ${name}, which does not begin with lt_")
  endif()
endforeach()

if(symbols STREQUAL "")
  list(APPEND failures "${ARCHIVE} has no symbols")
endif()
if(failures)
  list(JOIN failures "\n  " failures)
  message(FATAL_ERROR "${failures}")
endif()
