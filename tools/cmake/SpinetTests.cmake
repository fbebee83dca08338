# Tests that run under MPI.
#   spinet_mpi_test(NAME name SOURCES file... [LINK target...] RANKS 1 2 4 [TIMEOUT seconds])
#     builds the Catch2 program `name` with tests/mpi_main.cpp and adds one test per rank count: name.1, name.2, name.4
#   spinet_mpi_test(NAME name COMMAND program argument... RANKS 1 2 4 [TIMEOUT seconds])
#     runs a program that exists already
# mpirun refuses root and more ranks than cores, and binds ranks of different tests to the same core; all of that is
# usual where tests run.  Without MPI nothing is added.
function(spinet_mpi_test)
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT" "SOURCES;LINK;COMMAND;RANKS" ${ARGN})
  if(NOT TARGET spinet_mpi)
    return()
  endif()
  if(ARG_SOURCES)
    add_executable(${ARG_NAME} ${ARG_SOURCES} ${CMAKE_SOURCE_DIR}/tests/mpi_main.cpp)
    target_include_directories(${ARG_NAME} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
    target_link_libraries(${ARG_NAME} PRIVATE spinet_catch spinet::mpi spinet::engine spinet::builtin ${ARG_LINK})
    spinet_precompiled(${ARG_NAME} FROM spinet_test_headers)
    set(ARG_COMMAND ${ARG_NAME})
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  list(POP_FRONT ARG_COMMAND program)
  if(TARGET ${program})
    set(program $<TARGET_FILE:${program}>)
  endif()
  foreach(ranks ${ARG_RANKS})
    add_test(NAME ${ARG_NAME}.${ranks}
      COMMAND ${MPIEXEC_EXECUTABLE} --allow-run-as-root --oversubscribe --bind-to none
        --mca mpi_yield_when_idle 1 -n ${ranks} ${program} ${ARG_COMMAND})
    set_tests_properties(${ARG_NAME}.${ranks} PROPERTIES PROCESSORS ${ranks} TIMEOUT ${ARG_TIMEOUT})
  endforeach()
endfunction()
