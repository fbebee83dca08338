# spinet_add_plugin(name file...): a shared library <name>.so that `spinet run --plugin-path` finds.
# The flags that results depend on (-ffp-contract=off) come with spinet::contract; -ffast-math is refused, here and when
# the plugin is loaded.
function(spinet_add_plugin name)
  string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
  if("${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${build_type}}" MATCHES "-ffast-math|-Ofast|-funsafe-math-optimizations")
    message(FATAL_ERROR "spinet_add_plugin(${name}): -ffast-math changes results from machine to machine; build without it")
  endif()
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(optimise -O3)  # a plugin without optimisation is ten times slower
  endif()
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE spinet::contract)
  target_compile_options(${name} PRIVATE ${optimise} -fno-math-errno -Wno-psabi)  # spinet/jet.hpp inlines what takes vectors
  set_target_properties(${name} PROPERTIES PREFIX "" CXX_VISIBILITY_PRESET hidden CXX_EXTENSIONS OFF)
endfunction()
