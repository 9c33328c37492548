# cmake -DOUTPUT=prelude_data.c -DMODULES=a.lua;b.lua -P embed.cmake
#
# Write the Lua modules as one C file that defines lt_prelude (bindings/prelude.h). scripts/luatrace/
# init.lua is the module "luatrace", NAME.lua is "luatrace.NAME". The bytes are arrays of numbers,
# because a C compiler need not accept string literals of more than 65,535 bytes.

set(arrays "")
set(rows "")
set(index 0)
foreach(module IN LISTS MODULES)
  cmake_path(GET module STEM stem)
  if(stem STREQUAL "init")
    set(name "luatrace")
  else()
    set(name "luatrace.${stem}")
  endif()
  file(READ ${module} hex HEX)
  # Sixteen bytes to a line; each pair of digits becomes 0x..,
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REPEAT "....." 16 line)
  string(REGEX REPLACE "(${line})" "\\1\n" bytes "${bytes}")
  # The terminator is not part of the size.
  string(APPEND arrays "static const unsigned char module_${index}[] = {\n${bytes}0};\n\n")
  string(APPEND rows "  {\"${name}\", (const char *)module_${index}, sizeof module_${index} - 1},\n")
  math(EXPR index "${index} + 1")
endforeach()

file(WRITE ${OUTPUT} "/* Made by cmake/embed.cmake from scripts/luatrace/. */
#include \"prelude.h\"

${arrays}const struct lt_embedded lt_prelude[] = {
${rows}  {NULL, NULL, 0},
};
")
