# The parts of the program, as functions: the test build makes some of them a second time.

# The engine, as a library of some type (STATIC, OBJECT). It has no Lua include path, so it cannot come
# to need Lua.
function(luatrace_add_engine target type)
  add_library(${target} ${type} ${ARGN})
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/include)
  target_compile_definitions(${target} PRIVATE LT_VERSION="${PROJECT_VERSION}")
  target_link_libraries(${target} PRIVATE
    luatrace-options luatrace-uthash luatrace-zydis luatrace-iberty
    PkgConfig::LIBELF PkgConfig::LIBDW PkgConfig::LIBSECCOMP)
endfunction()

# The Lua half of the binding, as a C file with the bytecode of each module.
add_executable(luatrace-embed ${PROJECT_SOURCE_DIR}/cmake/embed.c)
target_link_libraries(luatrace-embed PRIVATE PkgConfig::LUA)
set_target_properties(luatrace-embed PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tools)

function(luatrace_embed_prelude output)
  file(GLOB modules CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/scripts/luatrace/*.lua)
  list(FILTER modules EXCLUDE REGEX "/meta\\.lua$") # for editors, never loaded
  add_custom_command(OUTPUT ${output}
    COMMAND luatrace-embed ${output} ${modules}
    DEPENDS ${modules} luatrace-embed
    COMMENT "Embedding the prelude"
    VERBATIM)
endfunction()

# The binding's objects and the prelude. It sees the engine through include/ alone.
function(luatrace_add_binding target)
  set(prelude ${PROJECT_BINARY_DIR}/prelude_data.c)
  luatrace_embed_prelude(${prelude})
  add_library(${target} OBJECT ${ARGN} ${prelude})
  target_include_directories(${target} PRIVATE
    ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/bindings)
  target_link_libraries(${target} PRIVATE luatrace-options luatrace-whole PUBLIC PkgConfig::LUA)
endfunction()

# The program, from the binding and one of the engines. Lua modules written in C find Lua's
# symbols in it.
function(luatrace_add_program target engine)
  add_executable(${target} $<TARGET_OBJECTS:luatrace-binding>)
  target_link_libraries(${target} PRIVATE
    ${engine} PkgConfig::LUA luatrace-options luatrace-whole)
  set_target_properties(${target} PROPERTIES ENABLE_EXPORTS ON)
endfunction()
