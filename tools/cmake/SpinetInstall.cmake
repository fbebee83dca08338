# Installing: the command, the contract's headers, and a CMake package with which plugins are built from anywhere:
#   find_package(spinet REQUIRED)
#   spinet_add_plugin(my_synapse my_synapse.cpp)
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/spinet)

install(TARGETS spinet RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/engine/include/spinet DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp")
install(TARGETS spinet_contract EXPORT spinet)
set_target_properties(spinet_contract PROPERTIES EXPORT_NAME contract)
install(EXPORT spinet NAMESPACE spinet:: FILE spinet-targets.cmake DESTINATION ${package})

configure_package_config_file(${CMAKE_SOURCE_DIR}/tools/cmake/spinet-config.cmake.in
  ${CMAKE_BINARY_DIR}/spinet-config.cmake INSTALL_DESTINATION ${package} PATH_VARS CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/spinet-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/spinet-config.cmake ${CMAKE_BINARY_DIR}/spinet-config-version.cmake
  ${CMAKE_SOURCE_DIR}/tools/cmake/SpinetPlugin.cmake DESTINATION ${package})
