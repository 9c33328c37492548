# cmake --install, and packages.

set(docdir ${CMAKE_INSTALL_DOCDIR})
set(datadir ${CMAKE_INSTALL_DATADIR}/luatrace)

# Seen from the program, its scripts are in ../share/luatrace/scripts.
install(TARGETS luatrace RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY scripts/ DESTINATION ${datadir}/scripts
  FILES_MATCHING PATTERN "*.lua" PATTERN luatrace EXCLUDE)
install(FILES scripts/luatrace/meta.lua DESTINATION ${datadir}/meta RENAME luatrace.lua)

# The engine for C programs. The .pc file finds its prefix by its own place.
install(TARGETS luatrace-engine ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES include/luatrace.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set(pkgconfigdir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
cmake_path(ABSOLUTE_PATH pkgconfigdir BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX}
  OUTPUT_VARIABLE pc_place)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${pc_place}
  OUTPUT_VARIABLE pc_to_prefix)
configure_file(cmake/luatrace.pc.in luatrace.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/luatrace.pc DESTINATION ${pkgconfigdir})

install(FILES docs/luatrace.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES README.md LICENSE DESTINATION ${docdir})
install(DIRECTORY docs/ DESTINATION ${docdir}
  FILES_MATCHING PATTERN "*.md" PATTERN "*.html" PATTERN "examples/*")

set(CPACK_GENERATOR TGZ DEB)
set(CPACK_PACKAGE_VENDOR "the luatrace authors")
set(CPACK_PACKAGE_CONTACT "the luatrace authors")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Lua scripts see and change what traced programs do:
 system calls, signals, new threads and processes, registers and memory.")
include(CPack)
