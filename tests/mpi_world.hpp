// For tests that run under MPI (spinet_mpi_test): the transport over all ranks.
#pragma once
#include "comm/transport.hpp"

/// Every rank runs the same test cases in the same order, so collectives in them match.
spinet::Transport& world();
