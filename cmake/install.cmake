# SPDX-License-Identifier: MIT
#
# install.cmake - What `cmake --install` puts where.
#
#   include/lastack/               the public headers
#   LIB/liblastack.a, .so.0, .so   the library; LIB is what GNUInstallDirs says
#   LIB/pkgconfig/lastack.pc       for pkg-config
#   LIB/cmake/lastack/             for find_package(lastack): lastack::lastack, lastack::lastack-static
#   LIB/lastack/                   lastack as packetdrill's stack under test
#   bin/lastack, share/man/        the command and the manual
#
# The prefix may be given when installing (cmake --install --prefix), so lastack.pc is written
# then, with its spaces escaped.  The CMake package finds its files from its own place and may be moved with them; for
# pkg-config there is --define-prefix.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(lastack_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/lastack)

install(DIRECTORY include/lastack DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.h" PATTERN "*.def")
install(TARGETS lastack_shared lastack_static EXPORT lastack
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS lastack_packetdrill LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/lastack)
if(TARGET lastack)
    install(TARGETS lastack RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

set_target_properties(lastack_shared PROPERTIES EXPORT_NAME lastack)
set_target_properties(lastack_static PROPERTIES EXPORT_NAME lastack-static)
install(EXPORT lastack NAMESPACE lastack:: FILE lastackTargets.cmake
    DESTINATION ${lastack_cmake_dir})
configure_package_config_file(cmake/lastackConfig.cmake.in
    ${CMAKE_BINARY_DIR}/lastackConfig.cmake INSTALL_DESTINATION ${lastack_cmake_dir}
    NO_SET_AND_CHECK_MACRO)
# Before 1.0 a new minor version may break its users.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/lastackConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/lastackConfig.cmake
    ${CMAKE_BINARY_DIR}/lastackConfigVersion.cmake DESTINATION ${lastack_cmake_dir})

install(CODE "
    set(PROJECT_VERSION \"${PROJECT_VERSION}\")
    set(LIBDIR \"${CMAKE_INSTALL_LIBDIR}\")
    set(INCLUDEDIR \"${CMAKE_INSTALL_INCLUDEDIR}\")
    string(REPLACE \" \" \"\\\\ \" PREFIX \"\${CMAKE_INSTALL_PREFIX}\")
    set(pc \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig/lastack.pc\")
    message(STATUS \"Installing: \$ENV{DESTDIR}\${pc}\")
    configure_file(\"${CMAKE_SOURCE_DIR}/cmake/lastack.pc.in\" \"\$ENV{DESTDIR}\${pc}\" @ONLY)
    list(APPEND CMAKE_INSTALL_MANIFEST_FILES \"\${pc}\")
")

foreach(section 1 3)
    file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/man/*.${section})
    if(pages)
        install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
    endif()
endforeach()
