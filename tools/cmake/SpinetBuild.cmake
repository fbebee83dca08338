# Compiler flags of this build, and spinet_models(), which turns model files into built-ins and shared libraries.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release or RelWithDebInfo" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_FLAGS_RELEASE "-O3 -DNDEBUG")
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
add_compile_options(-Wall -Wextra -ffp-contract=off -fno-math-errno)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  # Without these, it would not keep what is compiled with precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()

# spinet_precompiled(target FROM headers): most files include the same headers of the standard library, which take longer to
# read than what is in the file.  They are compiled once for all targets with the same flags, by a target that
# spinet_headers(headers [PIE] header...) makes.  Every file still includes what it uses; SPINET_PCH=OFF compiles each by itself.
option(SPINET_PCH "Compile common headers once" ON)
if(SPINET_PCH AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)  # for ccache
endif()
set(SPINET_STANDARD_HEADERS <algorithm> <array> <charconv> <chrono> <cmath> <cstdint> <cstring> <filesystem> <fstream> <functional>
  <limits> <map> <memory> <numeric> <optional> <set> <span> <stdexcept> <string> <string_view> <tuple> <utility> <vector>)
function(spinet_headers name)
  cmake_parse_arguments(ARG "PIE" "" "" ${ARGN})
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp CONTENT "")
  add_library(${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  target_compile_features(${name} PUBLIC cxx_std_20)
  if(ARG_PIE)  # for programs; a library's are compiled with -fPIC
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${name} PRIVATE -fPIE)
  endif()
  if(SPINET_PCH)
    target_precompile_headers(${name} PRIVATE ${SPINET_STANDARD_HEADERS} ${ARG_UNPARSED_ARGUMENTS})
  endif()
endfunction()
function(spinet_precompiled target from name)
  if(SPINET_PCH)
    target_precompile_headers(${target} REUSE_FROM ${name})
  endif()
endfunction()

# spinet_together(target [APART name...]): the target's files of one folder are compiled as a few, since most of the time goes into
# headers that they all include.  So names without linkage differ within a folder; APART are files and folders that keep theirs
# to themselves.
# SPINET_TOGETHER=OFF compiles each file by itself, which is faster where one file changes.
option(SPINET_TOGETHER "Compile the files of a folder together" ON)
set(SPINET_AT_ONCE 8)  # files: as many as leave two cores work of one length
function(spinet_together target)
  cmake_parse_arguments(ARG "" "" "APART" ${ARGN})
  if(NOT SPINET_TOGETHER)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  get_target_property(sources ${target} SOURCES)
  foreach(source ${sources})
    cmake_path(GET source FILENAME file)
    cmake_path(GET source PARENT_PATH folder)
    cmake_path(GET folder FILENAME folder)
    if(file MATCHES "\\.cpp$" AND NOT file IN_LIST ARG_APART AND NOT folder IN_LIST ARG_APART)
      math(EXPR count_${folder} "0${count_${folder}} + 1")
      math(EXPR part "(${count_${folder}} - 1) / ${SPINET_AT_ONCE}")
      set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${target}_${folder}_${part})
    endif()
  endforeach()
endfunction()

# spinet_rules(name...): name.cpp of this folder holds a connection rule, `name_rule()`.  Writes the list of them all.
function(spinet_rules)
  set(text "// Made by CMake from engine/connect/CMakeLists.txt.\n#include \"connect/rule.hpp\"\nnamespace spinet {\n")
  set(list "")
  foreach(name ${ARGN})
    string(APPEND text "const ConnectionRule& ${name}_rule();\n")
    string(APPEND list "&${name}_rule(), ")
    target_sources(spinet_network PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/${name}.cpp)
  endforeach()
  string(APPEND text "std::span<const ConnectionRule* const> connection_rules() {\n"
    "  static const ConnectionRule* const all[] = {${list}};\n  return all;\n}\n}  // namespace spinet\n")
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/connection_rules.cpp CONTENT "${text}" @ONLY)
  target_sources(spinet_network PRIVATE ${CMAKE_BINARY_DIR}/connection_rules.cpp)
endfunction()

# spinet_models(file...): each file becomes an object of the `spinet_builtin` library with an entry of its own.
# SHARED_TOO file...: these are also linked as build/plugins/<name>.so, from the same object: its entry gets the name by which
# a program finds it, and nothing else is visible.
function(spinet_models)
  cmake_parse_arguments(ARG "" "" "SHARED_TOO" ${ARGN})
  foreach(file ${ARG_UNPARSED_ARGUMENTS})
    get_filename_component(name ${file} NAME_WE)
    add_library(spinet_model_${name} OBJECT ${file})
    target_link_libraries(spinet_model_${name} PRIVATE spinet::contract)
    target_compile_definitions(spinet_model_${name} PRIVATE SPINET_ENTRY=spinet_model_${name})
    spinet_precompiled(spinet_model_${name} FROM spinet_library_headers)
    target_compile_options(spinet_model_${name} PRIVATE -Wno-psabi)  # vectors pass between inlined functions alone
    set_property(GLOBAL APPEND PROPERTY SPINET_BUILTIN ${name})
  endforeach()
  set(entries ${CMAKE_BINARY_DIR}/spinet_model.map)
  file(CONFIGURE OUTPUT ${entries} CONTENT "{ global: spinet_model; local: *; };\n")
  foreach(file ${ARG_SHARED_TOO})
    get_filename_component(name ${file} NAME_WE)
    add_library(spinet_plugin_${name} MODULE $<TARGET_OBJECTS:spinet_model_${name}>)
    target_link_options(spinet_plugin_${name} PRIVATE
      -Wl,--defsym,spinet_model=spinet_model_${name} -Wl,--version-script,${entries})
    set_target_properties(spinet_plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name} LINKER_LANGUAGE CXX
      LINK_DEPENDS ${entries} LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins)
    set_property(GLOBAL APPEND PROPERTY SPINET_SHARED_TOO spinet_plugin_${name})
  endforeach()
endfunction()

# Writes the list of built-in models and makes `spinet::builtin` of them; called once, after all spinet_models().
function(spinet_builtin_library)
  get_property(names GLOBAL PROPERTY SPINET_BUILTIN)
  set(text "// Made by CMake from the files in models/ and plugins/.\n#include \"network/catalogue.hpp\"\n")
  foreach(name ${names})
    string(APPEND text "extern \"C\" const spinet::Model* spinet_model_${name}() noexcept;\n")
  endforeach()
  string(APPEND text "void spinet::add_builtin(Catalogue& c) {\n")
  foreach(name ${names})
    string(APPEND text "  c.add(spinet_model_${name}(), \"built in\");\n")
  endforeach()
  string(APPEND text "}\n")
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/builtin_models.cpp CONTENT "${text}" @ONLY)
  add_library(spinet_builtin STATIC ${CMAKE_BINARY_DIR}/builtin_models.cpp)
  add_library(spinet::builtin ALIAS spinet_builtin)
  foreach(name ${names})
    target_link_libraries(spinet_builtin PRIVATE spinet_model_${name})
  endforeach()
  target_link_libraries(spinet_builtin PUBLIC spinet::network)
endfunction()
